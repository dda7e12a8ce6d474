/** What views share with each other. */

import type { Entry } from "../model/types.js";
import type { iconPaths } from "./parts/icons.js";
import type { moreIconPaths } from "./parts/more-icons.js";

export type IconName = keyof typeof iconPaths | keyof typeof moreIconPaths;

export type PanelKind = "members" | "search" | "thread" | "mentions" | "bookmarks" | "pins" | "files";

export interface Panel {
  element: HTMLElement;
  update?: (topics: Set<string>) => void;
  destroy?: () => void;
}

export interface PanelContent {
  parts: HTMLElement[];
  /** Stands beside the title. */
  note?: HTMLElement;
  update?: (topics: Set<string>) => void;
  destroy: () => void;
}

/** How a row of the timeline is drawn, by its neighbours. */
export interface Shape {
  /** First of a group of messages of one sender. */
  first: boolean;
  newDay: boolean;
  /** The "new" line stands before it. */
  isNew: boolean;
  /** Joins and parts that are folded into this row; `null` for none. */
  run: Entry[] | null;
  /** Loaded answers to the message. */
  replies: number;
  quote: Quote | null;
  /** Set if the message before answers the same one, whose quote then stands once. */
  repeats: boolean;
  /** State of a long text, `null` for others. */
  fold: "folded" | "open" | null;
  /** Set if it is sent once there is a connection. */
  waits: boolean;
}

/** The part of it that only messages have. */
export type Details = Pick<Shape, "first" | "replies" | "quote" | "repeats" | "fold" | "waits">;

/** The message that a reply answers; without a text while it is loading or if it is gone. */
export interface Quote {
  from: string;
  text: string;
  state: "loaded" | "loading" | "gone";
}
