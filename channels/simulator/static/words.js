// A message's words as DOM nodes: text stays text, whatever it looks like.

export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// WhatsApp's own marks, and addresses; each mark must hug its words, as on the phone.
const MARKS =
  /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'])|```([\s\S]+?)```|`([^`\n]+)`|(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_(?=\S)([^_\n]+)(?<=\S)_(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}~])~(?=\S)([^~\n]+)(?<=\S)~(?![\p{L}\p{N}~])/gu;

export function words(text) {
  const out = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(MARKS)) {
    out.append(text.slice(last, match.index));
    const [whole, url, block, code, strong, emphasis, struck] = match;
    if (url) out.append(el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url));
    else if (block || code) out.append(el("code", {}, block || code));
    else if (strong) out.append(el("strong", {}, words(strong)));
    else if (emphasis) out.append(el("em", {}, words(emphasis)));
    else out.append(el("s", {}, words(struck)));
    last = match.index + whole.length;
  }
  out.append(text.slice(last));
  return out;
}
