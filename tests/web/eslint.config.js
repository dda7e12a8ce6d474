// Rules for the page in web/ and its tests. Beyond ESLint's recommended rules, it refuses what would get around the
// promise that every text goes through textContent, and what the Content-Security-Policy forbids.
import js from "@eslint/js";

const html = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "createContextualFragment", "srcdoc"];
const browser = [
  "AbortController", "OffscreenCanvas", "URLSearchParams", "atob", "btoa", "createImageBitmap", "Audio", "AudioContext", "Blob", "CSS", "ClipboardEvent", "CustomEvent", "DOMException", "DataTransfer", "DragEvent", "Element", "Event", "File", "HTMLButtonElement", "HTMLElement",
  "HTMLInputElement", "HTMLTextAreaElement", "Intl", "IntersectionObserver", "KeyboardEvent", "MouseEvent", "MutationObserver", "Node", "Notification", "PerformanceObserver", "HTMLImageElement", "Headers", "Response", "HTMLCanvasElement", "HTMLProgressElement",
  "ResizeObserver", "TextDecoder", "TextEncoder", "URL", "WebSocket", "XMLHttpRequest", "cancelAnimationFrame", "clearInterval",
  "clearTimeout", "console", "crypto", "document", "fetch", "getComputedStyle", "getSelection", "history", "indexedDB", "innerHeight", "innerWidth", "localStorage", "location", "matchMedia",
  "navigator", "performance", "queueMicrotask", "requestAnimationFrame", "sessionStorage", "setInterval", "setTimeout",
  "structuredClone", "window",
];

export default [
  { ignores: ["**/node_modules/**", "**/target/**"] },
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: "latest",
      sourceType: "module",
      globals: Object.fromEntries([...browser, "process", "Buffer"].map((name) => [name, "readonly"])),
    },
    rules: {
      "no-restricted-properties": ["error",
        ...html.map((property) => ({ property, message: "Texts go through textContent." })),
        { object: "document", property: "write", message: "Texts go through textContent." }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-var": "error",
      "prefer-const": "error",
      "eqeqeq": ["error", "always", { null: "ignore" }],
      "no-unused-vars": ["error", { args: "after-used", argsIgnorePattern: "^_" }],
      "max-lines-per-function": ["error", { max: 100, skipBlankLines: true, skipComments: true }],
      "max-lines": ["error", 500],
      "no-control-regex": "off",
    },
  },
  {
    files: ["**/tests/web/**"],
    rules: { "max-lines-per-function": "off" },
  },
];
