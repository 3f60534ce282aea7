// The few things that scripts do to the document over and over.
export function byId(id) {
  return document.getElementById(id);
}

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function element(tag, text = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
