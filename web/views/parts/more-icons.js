/** Paths of the other icons. */

import { iconPaths } from "./icons.js";

export const moreIconPaths = {
  again: "M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21h4",
  bookmark: "M7 4h10v16l-5-4-5 4z",
  camera: "M4 8h4l1.5-2.500h5L16 8h4v11H4zM12 10a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  channel: "M10 4L8 20M16 4l-2 16M4.5 9h16M3.5 15h16",
  check: "M5 13l4 4L19 7",
  clip: "M19 11l-7.5 7.500a4.500 4.500 0 0 1-6.400-6.400L13 4.300a3 3 0 0 1 4.300 4.300l-7.700 7.600a1.500 1.500 0 0 1-2.100-2.100L14.500 7.200",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  copy: "M9 9h10v11H9zM5 15V4h10",
  down: "M6 10l6 6 6-6M12 4v12",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  exit: "M10 4H5v16h5M10 12h10M16 8l4 4-4 4",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 12h16",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.2",
  muted: "M6 17v-6a6 6 0 0 1 10-4.5M18 11v6M4.5 19h13M10 21h4M4 4l16 16",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 8.500v.1",
  play: "M7 5l12 7-12 7z",
  reply: "M10 6l-6 6 6 6M4 12h9c4 0 7 2 7 7",
  sound: "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0M19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0",
  text: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  thread: "M4 5h16v11h-8l-4 4v-4H4zM8 9h8M8 12h5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
};

Object.assign(iconPaths, moreIconPaths);
