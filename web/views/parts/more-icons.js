/** Paths of the other icons. */

import { iconPaths } from "./icons.js";

export const moreIconPaths = {
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21h4",
  bookmark: "M7 4h10v16l-5-4-5 4z",
  channel: "M10 4L8 20M16 4l-2 16M4.5 9h16M3.5 15h16",
  check: "M5 13l4 4L19 7",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  copy: "M9 9h10v11H9zM5 15V4h10",
  exit: "M10 4H5v16h5M10 12h10M16 8l4 4-4 4",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.2",
  muted: "M6 17v-6a6 6 0 0 1 10-4.5M18 11v6M4.5 19h13M10 21h4M4 4l16 16",
  reply: "M10 6l-6 6 6 6M4 12h9c4 0 7 2 7 7",
  thread: "M4 5h16v11h-8l-4 4v-4H4zM8 9h8M8 12h5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
};

Object.assign(iconPaths, moreIconPaths);
