// The few things that scripts do to the document over and over.
export function byId(id) {
  return document.getElementById(id);
}

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// As `put`, where it happens many times a second: the text is exchanged, and no node made.
export function retell(node, text) {
  const only = node.firstChild;
  if (!text || !only || only.nextSibling || only.nodeType !== Node.TEXT_NODE) put(node, text);
  else if (only.data !== text) only.data = text;
}

export function element(tag, text = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
