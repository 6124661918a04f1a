// Draws the map: clusters that the server has made, shapes of one's own, a graticule and a scale; nothing from elsewhere.
const NEAREST = 18, FARTHEST = 7, SVG = "http://www.w3.org/2000/svg";
const SETTLED_MS = 150, NEWS_MS = 1000, AGAIN_MS = 60000, DRAG_PX = 4;

const size = (zoom) => 256 * 2 ** zoom;
const project = (longitude, latitude, zoom) => {
  const sine = Math.sin((latitude * Math.PI) / 180);
  return [(longitude / 360 + 0.5) * size(zoom), (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * size(zoom)];
};
const unproject = (x, y, zoom) => [
  (x / size(zoom) - 0.5) * 360,
  (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / size(zoom)))) * 180) / Math.PI,
];
const filled = (element, inside) => { element.append(...inside); return element; };
const html = (name, properties = {}, ...inside) => filled(Object.assign(document.createElement(name), properties), inside);
const make = (name, attributes = {}, ...inside) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return filled(element, inside);
};

function draw(map) {
  const form = document.getElementById("map-form"), card = map.querySelector(".map-card");
  const layers = ["shapes", "graticule", "pins", "marks", "names", "scale"].map((name) => make("g", { class: name }));
  const [shapes, graticule, pins, marks, names, scale] = layers;
  const svg = make("svg", { tabindex: 0, role: "group", "aria-label": map.dataset.label }, ...layers);
  map.prepend(svg);

  let view = JSON.parse(sessionStorage.getItem("ioc-map") || "null");
  if (view?.whole) view = null;  // all is shown again, on whatever screen that is now
  let areas = [], dots = [], origin = null, box = null, asked = 0, opener = null, live = true, whole = false;

  // --- the view ---

  const width = () => svg.clientWidth || 800, height = () => svg.clientHeight || 500;
  const centre = () => project(view.longitude, view.latitude, view.zoom);
  const bounds = () => {
    const [x, y] = centre(), w = width(), h = height();  // half a screen more on each side
    const [west, north] = unproject(x - w, y - h, view.zoom), [east, south] = unproject(x + w, y + h, view.zoom);
    return { w: west, s: south, e: east, n: north };
  };
  const look = (longitude, latitude, zoom) => {
    const near = Math.max(FARTHEST, Math.min(NEAREST, zoom));
    const moved = !view || near !== view.zoom;
    view = { longitude, latitude, zoom: near };
    whole = false;
    sessionStorage.setItem("ioc-map", JSON.stringify(view));
    if (moved) marks.replaceChildren();  // clusters of another zoom would stand where nothing is
    place();
    settle();
  };
  const pan = (dx, dy) => {
    const [x, y] = centre();
    look(...unproject(x + dx, y + dy, view.zoom), view.zoom);
  };
  const zoomAt = (step, px = width() / 2, py = height() / 2) => {
    const zoom = Math.max(FARTHEST, Math.min(NEAREST, view.zoom + step)), factor = 2 ** (zoom - view.zoom);
    const [x, y] = centre(), dx = px - width() / 2, dy = py - height() / 2;
    look(...unproject((x + dx) * factor - dx, (y + dy) * factor - dy, zoom), zoom);
  };
  const fit = ([west, south, east, north]) => {
    let zoom = NEAREST - 3, span;
    do {
      const [left, bottom] = project(west, south, --zoom), [right, top] = project(east, north, zoom);
      span = [right - left, bottom - top];
    } while (zoom > FARTHEST && (span[0] > width() * 0.85 || span[1] > height() * 0.85));
    look((west + east) / 2, (south + north) / 2, zoom);
  };
  const showAll = () => {
    if (!box) return;
    fit(box);
    whole = true;  // for as long as nobody looks elsewhere: a screen that is turned shows all again
    sessionStorage.setItem("ioc-map", JSON.stringify({ ...view, whole }));
  };

  // --- drawing ---

  /** Bring everything to where the view is; marks and shapes are moved as a whole. */
  const place = () => {
    const [x, y] = centre(), left = width() / 2 - x, top = height() / 2 - y;
    if (origin) {
      const [ox, oy] = project(...origin, view.zoom);
      marks.setAttribute("transform", `translate(${left + ox} ${top + oy})`);
    }
    const [sx, sy] = project(...SHAPE_ORIGIN, view.zoom);
    shapes.setAttribute("transform", `translate(${left + sx} ${top + sy}) scale(${2 ** (view.zoom - SHAPE_ZOOM)})`);
    graticule.replaceChildren(...lines(x, y));
    names.replaceChildren(...legible(areas.map(([name, w, s, e, n]) => {
      const [px, py] = project((w + e) / 2, (s + n) / 2, view.zoom);
      return { name, x: left + px, y: top + py };
    })).map(({ name, x, y }) => make("text", { x, y, "text-anchor": "middle" }, name)));
    for (const [dot, at] of dots) {
      const [px, py] = project(...at, view.zoom), inside = Math.abs(px - x) < width() / 2 && Math.abs(py - y) < height() / 2;
      dot.setAttribute("transform", `translate(${left + px} ${top + py})`);
      if (dot.name) dot.setAttribute("tabindex", inside ? 0 : -1);  // Tab leads to what is in view alone
    }
    scale.replaceChildren(...ruler());
  };
  /** The names that have room beside those before them, the others appear when the map is nearer. */
  const legible = (told) => {
    const size = parseFloat(getComputedStyle(svg).fontSize), kept = [];
    const near = (one, other) => Math.abs(one.y - other.y) < 1.3 * size
      && Math.abs(one.x - other.x) < 0.3 * size * (one.name.length + other.name.length);
    for (const one of told) if (!kept.some((other) => near(one, other))) kept.push(one);
    return kept;
  };
  const SHAPE_ZOOM = 12, SHAPE_ORIGIN = [106.65, 11.5];

  function* lines(x, y) {
    const w = width(), h = height();
    const [west, north] = unproject(x - w / 2, y - h / 2, view.zoom), [east, south] = unproject(x + w / 2, y + h / 2, view.zoom);
    const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2].find((s) => (east - west) / s < 8) || 5;
    const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
    for (let d = Math.ceil(west / step) * step; d < east; d += step) {
      const at = project(d, south, view.zoom)[0] - x + w / 2;
      yield make("line", { x1: at, x2: at, y1: 0, y2: h });
      yield make("text", { x: at + 3, y: h - 5 }, `${d.toFixed(digits)}°`);
    }
    for (let d = Math.ceil(south / step) * step; d < north; d += step) {
      const at = project(west, d, view.zoom)[1] - y + h / 2;
      yield make("line", { x1: 0, x2: w, y1: at, y2: at });
      yield make("text", { x: 5, y: at - 3 }, `${d.toFixed(digits)}°`);
    }
  }
  function ruler() {
    const metres = (156543.03 * Math.cos((view.latitude * Math.PI) / 180)) / 2 ** view.zoom;  // of one pixel
    const lengths = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];
    const long = lengths.filter((l) => l / metres < 140).pop() || 10, px = long / metres;
    const x = width() - px - 14, y = height() - 24;
    const named = long < 1000 ? `${long} m` : `${long / 1000} km`;
    return [make("path", { d: `M${x} ${y - 6}v6h${px}v-6` }), make("text", { x: x + px / 2, y: y - 8, "text-anchor": "middle" }, named)];
  }
  const mark = ([kind, latitude, longitude, number, overdue, sign, name, told]) => {
    const [ox, oy] = project(...origin, view.zoom), [x, y] = project(longitude, latitude, view.zoom);
    const radius = number > 1 ? Math.min(10 + 2.4 * Math.log(number), 28) : kind === "report" ? 8 : 12;
    const shape = kind === "report"
      ? make("circle", { r: radius })
      : make("rect", { x: -radius, y: -radius * 0.8, width: 2 * radius, height: 1.6 * radius, rx: 4 });
    const late = overdue ? [make("path", { class: "late", d: "M0 -9L8 5H-8Z", transform: `translate(${radius * 0.8} ${-radius * 0.8})` })] : [];
    // Clusters of both kinds gather in the same middle: one stands above it, the other below.
    const aside = number > 1 ? radius * (kind === "report" ? -0.6 : 0.7) : 0;
    const near = Math.max(1, parseFloat(getComputedStyle(svg).fontSize) / 14);  // marks grow with the page's letters
    const seen = make("g", { class: `mark ${kind}`, transform: `translate(${x - ox} ${y - oy + aside * near}) scale(${near})`,
      tabindex: 0, role: "button", "aria-label": name }, shape, make("text", { y: 4, "text-anchor": "middle" }, sign), ...late, make("title", {}, name));
    seen.open = () => (told ? show(told, seen) : look(longitude, latitude, view.zoom + 2));
    seen.name = `${kind}${latitude}${longitude}`;
    return seen;
  };
  const called = (name) => name && [...svg.querySelectorAll("[role=button]")].find((element) => element.name === name);
  const redraw = (told) => {
    const held = document.activeElement?.name;
    origin = [view.longitude, view.latitude];
    marks.replaceChildren(...told.map(mark));
    place();
    if (document.activeElement?.name !== held) called(held)?.focus();
  };

  // --- asking ---

  const choice = () => {
    const chosen = new URLSearchParams(new FormData(form)), boxes = form.querySelectorAll("[name=layer]");
    if ([...boxes].every((b) => b.checked)) chosen.delete("layer");
    for (const [key, value] of [...chosen]) if (!value || value === "0") chosen.delete(key);
    return chosen;
  };
  const ask = async (list = false) => {
    const turn = ++asked, query = choice();
    history.replaceState(history.state, "", `/map?${query}`);
    const other = document.querySelector(".reader a[hreflang]"), translated = new URLSearchParams(query);
    translated.set("lang", other.hreflang);
    other.search = translated;  // who changes the language keeps what was chosen here
    if (view) for (const [key, value] of Object.entries({ ...bounds(), z: view.zoom })) query.set(key, value);
    if (list || !view) query.set("list", 1);
    if (list) tint();
    try {
      const answer = await fetch(`/map/data?${query}`);
      if (!answer.ok) throw new Error(answer.status);
      const told = await answer.json();
      if (turn !== asked) return;
      map.classList.remove("stale");
      [box, live] = [told.box, told.live];
      if (!view) {
        listed = true;
        return box ? showAll() : look(...SHAPE_ORIGIN, 11);
      }
      redraw(told.marks);
      if (told.list !== undefined) {
        document.getElementById("map-list").innerHTML = told.list;
        document.getElementById("map-said").textContent = told.said;
      }
      const moment = document.getElementById("map-moment");
      if (moment) moment.textContent = told.moment;
    } catch {
      if (turn === asked) map.classList.add("stale");  // what is shown is old: the band above says why
    }
  };
  let waiting, listed = false;
  const settle = (list = false, wait = SETTLED_MS) => {
    listed ||= list;
    clearTimeout(waiting);
    waiting = setTimeout(() => { const also = listed; listed = false; ask(also); }, wait);
  };

  // --- cards ---

  const show = (told, from) => {
    opener = from.name;
    card.innerHTML = `<button type="button" class="plain">${map.dataset.close}</button>${told}`;
    card.hidden = false;
    card.querySelector("button").onclick = hide;
    card.focus();
  };
  const hide = () => {
    card.hidden = true;
    (called(opener) || svg).focus();
  };

  // --- hands ---

  const moves = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] };
  map.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !card.hidden) return hide();
    if (event.ctrlKey || event.altKey || event.metaKey || card.contains(event.target)) return;
    if (event.key in moves) pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoomAt(1);
    else if (event.key === "-") zoomAt(-1);
    else if (event.key === "Home") showAll();
    else if ((event.key === "Enter" || event.key === " ") && event.target.open) event.target.open();
    else return;
    event.preventDefault();
  });
  const acts = { in: () => zoomAt(1), out: () => zoomAt(-1), all: showAll };
  map.addEventListener("click", ({ target }) => acts[target.dataset?.map]?.());
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.timeStamp - wheeled < 120) return;
    wheeled = event.timeStamp;
    zoomAt(event.deltaY < 0 ? 1 : -1, event.offsetX, event.offsetY);
  }, { passive: false });
  let wheeled = 0, moved = false, apart = 0;
  const held = new Map();
  const distance = () => { const [a, b] = [...held.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
  svg.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = held.size > 1;
    if (held.size === 2) apart = distance();
  });
  window.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before || !view) return;
    const dx = event.clientX - before.x, dy = event.clientY - before.y;
    if (!moved && Math.hypot(dx, dy) < DRAG_PX) return;
    moved = true;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (held.size === 1) return pan(-dx, -dy);
    const ratio = distance() / apart;
    if (ratio > 1.5 || ratio < 0.66) { zoomAt(ratio > 1 ? 1 : -1); apart = distance(); }
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (event) => {
    if (!held.delete(event.pointerId) || moved || end === "pointercancel") return;
    event.target.closest?.("[role=button]")?.open?.();
  });
  svg.addEventListener("dblclick", (event) => zoomAt(1, event.offsetX, event.offsetY));

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.name === "span") for (const name of ["month", "first", "last"]) form.elements[name].value = "";
    card.hidden = true;
    settle(true);
  });
  document.addEventListener("ioc-news", ({ target }) => target.id === "map-news" && live && soon());
  let due = 0, latest = 0;
  const soon = () => {
    due ||= setTimeout(() => { due = 0; latest = Date.now(); settle(true, 0); }, Math.max(0, latest + NEWS_MS - Date.now()));
  };
  setInterval(() => live && document.visibilityState === "visible" && settle(true, 0), AGAIN_MS);
  new ResizeObserver(() => view && (whole ? showAll() : place())).observe(svg);

  // --- shapes of one's own: the centre's, and those that this browser alone keeps ---

  const PARTS = {
    Point: (at) => [[at]], MultiPoint: (all) => all.map((at) => [at]), LineString: (line) => [line],
    MultiLineString: (lines) => lines, Polygon: (rings) => rings, MultiPolygon: (areas) => areas.flat(),
  };
  const parts = ({ type, coordinates }) => PARTS[type](coordinates);
  const are = (kind) => (feature) => feature.geometry.type.endsWith(kind);
  const around = (features) => features.flatMap((f) => parts(f.geometry).flat()).reduce(
    ([w, s, e, n], [x, y]) => [Math.min(w, x), Math.min(s, y), Math.max(e, x), Math.max(n, y)], [Infinity, Infinity, -Infinity, -Infinity]);
  const titled = (name) => (name ? [make("title", {}, name)] : []);
  const outline = (feature, whose) => {
    const [ox, oy] = project(...SHAPE_ORIGIN, SHAPE_ZOOM), closed = are("Polygon")(feature);
    const d = parts(feature.geometry).map((part) => "M" + part.map(([longitude, latitude]) => {
      const [x, y] = project(longitude, latitude, SHAPE_ZOOM);
      return `${(x - ox).toFixed(2)} ${(y - oy).toFixed(2)}`;
    }).join("L") + (closed ? "Z" : "")).join("");
    const path = make("path", { d, class: `${closed ? "area" : "way"} ${whose}` }, ...titled(feature.properties.name));
    path.feature = feature.properties;
    return path;
  };
  const pin = (name, at, whose) => {
    const told = name ? { role: "button", "aria-label": name } : {};
    const dot = make("circle", { r: 6, class: `dot ${whose}`, ...told }, ...titled(name));
    dot.name = name && `dot ${name} ${at}`;
    dot.open = () => name && show(html("h3", {}, name).outerHTML, dot);
    return [dot, at];
  };

  // --- units in the colours of a figure ---

  const TINTED = ["figure", "span", "month", "first", "last", "as_of", "lang"];
  let figures = {}, tints = 0;
  const colour = () => shapes.querySelectorAll(".area").forEach((path) => {
    const [step, missed, said] = figures[path.feature.unit] ?? [null, false, path.feature.name];
    for (let n = 0; n < 5; n++) path.classList.toggle(`step-${n}`, n === step);
    path.classList.toggle("missed", missed);
    path.querySelector("title")?.replaceChildren(said);
  });
  const tint = async () => {
    const asked = new URLSearchParams([...choice()].filter(([key]) => TINTED.includes(key)));
    const turn = ++tints;
    const answer = asked.get("figure") && (await fetch(`/map/figures?${asked}`).catch(() => ({ ok: false })));
    if (turn !== tints || answer?.ok === false) return;  // what is shown stays, the band above says why
    const told = answer ? await answer.json() : { units: {}, legend: "" };
    figures = told.units;
    document.getElementById("map-legend").innerHTML = told.legend;
    colour();
  };

  const own = document.getElementById("map-own"), shelf = own && `ioc-outlines ${own.dataset.account}`;
  let everybodys = [], mine = JSON.parse((own && localStorage.getItem(shelf)) || "{}");
  const outlines = () => {
    const told = [["", everybodys], ["mine", Object.values(mine).flat()]];
    const every = (each) => told.flatMap(([whose, all]) => all.flatMap((f) => each(f, whose)));
    shapes.replaceChildren(...every((f, whose) => (are("Point")(f) ? [] : outline(f, whose))));
    colour();
    dots = every((f, whose) => (are("Point")(f) ? parts(f.geometry).flat().map((at) => pin(f.properties.name, at, whose)) : []));
    pins.replaceChildren(...dots.map(([dot]) => dot));
    areas = every((f) => (f.properties.name && are("Polygon")(f) ? [[f.properties.name, ...around([f])]] : []));
    if (view) place();
    document.getElementById("map-mine")?.replaceChildren(...Object.keys(mine).map((name) => {
      const remove = { type: "button", className: "plain", textContent: own.dataset.remove, ariaLabel: `${own.dataset.remove}: ${name}` };
      return html("li", {}, `${name} `, html("button", { ...remove, onclick: () => { delete mine[name]; keep(""); own.querySelector("input").focus(); } }));
    }));
  };
  const keep = (said) => {
    try { localStorage.setItem(shelf, JSON.stringify(mine)); } catch { said = own.dataset.full; }
    document.getElementById("map-told").textContent = said;
    outlines();
  };
  outlines();
  fetch("/map/outlines").then((answer) => answer.json()).then(({ features }) => { everybodys = features; outlines(); }).catch(() => {});  // the map does without
  own?.addEventListener("change", async ({ target }) => {
    const chosen = target.files[0], headers = { "x-csrf": own.dataset.csrf, "content-type": "application/geo+json" };
    if (!chosen) return;
    const body = chosen.slice(0, own.dataset.largest);  // enough to be told that it is too large
    const answer = await fetch(`${target.dataset.outlines}?name=${encodeURIComponent(chosen.name)}`, { method: "POST", headers, body }).catch(() => null);
    const told = await answer?.json().catch(() => null);
    document.getElementById("map-told").textContent = told?.said ?? own.dataset.away;
    target.value = "";  // so that the same file can be chosen again once it is mended
    if (!answer?.ok) return;
    if (!told.features) return location.reload();
    mine[told.name] = told.features;
    keep(told.said);
    fit(around(told.features));
  });

  const back = new URLSearchParams(location.search).get("ago"), slider = form.querySelector("[name=ago]");
  if (slider && back) slider.value = back;
  ask(true);
}

// The page's content is put in after the script was read.
const ready = setInterval(() => {
  const map = document.getElementById("map");
  if (!map) return;
  clearInterval(ready);
  draw(map);
}, 30);
