// Small pieces of a page, always from text, never from markup.

export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The little Markdown that the document uses: paragraphs, lists, `code`.
export function prose(text) {
  return text.split("\n\n").filter(Boolean).map((block) => {
    if (!block.startsWith("- ")) return element("p", {}, ...inline(block));
    return element("ul", {}, ...block.split("\n").map((line) => element("li", {}, ...inline(line.slice(2)))));
  });
}

function inline(text) {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}
