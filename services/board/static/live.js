// Keeps the page up to date: the board sends each place that has changed, and every other second that it is still there.
(() => {
  const LOST_MS = 5000, AGAIN_MS = 500, BUSY_MS = 5000, ENDED = 4401;
  const cutOff = (is) => document.body.classList.toggle("cut-off", is);

  // What is the same stays, and with it the focus, the selection, an opened list. A figure that changes is a new element.
  const unlike = (old, now) => old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== now.nodeName || old.id !== now.id;
  const flashes = (old, now) => old.dataset?.figure !== undefined && old.textContent !== now.textContent;
  const bring = (old, now) => {
    if (flashes(old, now)) now.classList.add("flash");
    if (unlike(old, now) || flashes(old, now)) return old.replaceWith(now);
    const own = (name) => name === "open";  // what the reader opened or closed stays so
    for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !own(name)) old.removeAttribute(name);
    for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && !own(name)) old.setAttribute(name, value);
    fill(old, now);
  };
  const fill = (old, now) => {
    const before = [...old.childNodes], after = [...now.childNodes];
    while (before.length && after.length && before[0].isEqualNode(after[0])) { before.shift(); after.shift(); }
    let next = null;
    while (before.length && after.length && before.at(-1).isEqualNode(after.at(-1))) { next = before.pop(); after.pop(); }
    after.forEach((node, n) => (n < before.length ? bring(before[n], node) : old.insertBefore(node, next)));
    before.slice(after.length).forEach((node) => node.remove());
    return before.length + after.length > 0;
  };
  const show = (id, html) => {
    const place = document.getElementById(id), template = document.createElement("template");
    template.innerHTML = html;
    if (place && fill(place, template.content)) place.dispatchEvent(new CustomEvent("ioc-news", { bubbles: true }));
  };

  // Without a connection the page asks for itself: another session or another board makes another page.
  const ask = async () => {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer || answer.status >= 500) return cutOff(true);
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    const { protocol, session } = now.body.dataset, mine = document.body.dataset;
    if (protocol !== mine.protocol || session !== mine.session) return location.reload();
    for (const place of now.querySelectorAll(".live")) show(place.id, place.innerHTML);
    cutOff(false);
  };

  const connect = () => {
    const { protocol, session } = document.body.dataset;
    const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/#.*/, ""), session ? [protocol, session] : [protocol]);
    let heard = false, over = false, watch;
    const end = async (code) => {
      if (over) return;
      over = true;
      clearTimeout(watch);
      socket.close();
      if (code === ENDED) return location.reload();
      cutOff(true);
      if (!heard) await ask();
      setTimeout(connect, heard ? AGAIN_MS : 2 * AGAIN_MS);
    };
    const hold = () => { clearTimeout(watch); watch = setTimeout(end, LOST_MS); };
    socket.onmessage = ({ data }) => {
      heard = true;
      hold();
      for (const [id, html] of Object.entries(JSON.parse(data))) show(id, html);
      cutOff(false);
    };
    socket.onclose = ({ code }) => end(code);
    hold();
  };
  // What could not be had at all is asked for again as a whole.
  if (document.querySelector("[data-busy]")) setTimeout(() => location.reload(), BUSY_MS);
  connect();
})();
