"use strict";
// The page of `catgan review`. One wall, of which only what is on the screen is in the page; one
// photo; and behind both either the server that sent the page or what is written in the page itself.
(() => {
  const OPEN = 0, KEPT = 1, REJECTED = 2;
  const NAMES = ["cleared", "kept", "rejected"];
  const GAP = 6;            // pixels between tiles
  const AHEAD = 2;          // rows beyond the screen
  const FAST = 4;           // pixels a millisecond from which pictures wait for the wall to settle
  const HOLD = 450;         // milliseconds that a finger stays for selecting many
  const SLACK = 6;          // pixels that a click may slip
  const EVERY = 1500;       // milliseconds between two questions what other windows did
  const LEARN_EVERY = 10;   // rejections between two learnt orders
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const TITLES = {
    "crops": "crops", "no-face": "photos without a face", "face-too-small": "faces too small",
    "blurry": "blurry", "too-dark": "too dark", "duplicate": "duplicates",
  };

  // ---- what is behind the page

  class Server {
    async get(path) {
      const answer = await fetch(path, { credentials: "same-origin" });
      if (!answer.ok) throw new Error((await answer.text()).trim() || answer.statusText);
      return answer.json();
    }
    album() { return this.get("/api/album"); }
    order(name) { return this.get(`/api/order/${name}`); }
    like(id) { return this.get(`/api/like/${id}`); }
    photo(number) { return this.get(`/api/photo/${number}`); }
    changes(version) { return this.get(`/api/changes/${version}`); }
    tile(item) { return `/tile/${item.id}?v=${item.pic}-${stamp}`; }
    whole(number) { return `/photo/${number}?v=${stamp}`; }
    async decide(changes) {
      const answer = await fetch("/api/decide", {
        method: "POST", credentials: "same-origin",
        headers: { "content-type": "application/json" }, body: JSON.stringify({ album: stamp, changes }),
      });
      const told = await answer.json().catch(() => ({ refused: answer.statusText }));
      if (told.refused) throw new Error(told.refused);
      return told;
    }
  }

  // Decisions are kept in the browser, by the album's name; a decisions.jsonl is made of them.
  class InPage {
    constructor(data) {
      this.data = data;
      this.key = `catgan-review ${data.album}`;
      this.lines = [];
      try { this.lines = JSON.parse(localStorage.getItem(this.key) || "[]"); } catch { /* private */ }
      this.version = 0;
      this.choices = new Map();
      for (const item of data.items) this.choices.set(this.name(item[1], item[6]), item[0]);
      for (const line of this.lines) this.take(line);
    }
    name(photo, box) { return `${photo} ${box && box.slice(0, 4)}`; }
    take(line) {
      const index = this.choices.get(line.key);
      if (index === undefined) return null;
      this.data.items[index][4] = Math.max(0, NAMES.indexOf(line.decision));
      return this.data.items[index];
    }
    async album() { return this.data; }
    async order(name) { return { order: this.data.orders[name] }; }
    async like(id) { return { order: [id, ...this.data.alike[id]] }; }
    tile(item) { return `data:image/jpeg;base64,${this.data.tiles[item.id]}`; }
    async decide(changes) {
      const when = new Date().toISOString().slice(0, 19) + "Z";
      const undo = [], items = [];
      for (const change of changes) {
        const key = this.name(change.photo, change.box);
        const item = this.data.items[this.choices.get(key)];
        undo.unshift({ photo: change.photo, box: change.box, roll: change.roll, choice: NAMES[item[4]] });
        const [sha256, seconds] = this.data.places[change.photo];
        const line = { key, sha256, box: change.box, roll: change.roll, decision: change.choice, decided: when };
        if (seconds !== null) line.seconds = seconds;
        this.lines.push(line);
        items.push(this.take(line));
      }
      try { localStorage.setItem(this.key, JSON.stringify(this.lines)); } catch (error) {
        note("This browser keeps nothing for this page: save your decisions before you close it.");
      }
      return { version: ++this.version, items, undo, rejections: 0, pending: true };
    }
    saved() {
      return this.lines.map(({ sha256, seconds, box, roll, decision, decided }) => JSON.stringify(
        { sha256, ...(seconds === undefined ? {} : { seconds }), box, roll, decision, decided }) + "\n").join("");
    }
  }

  const page = $("data") ? JSON.parse($("data").textContent) : null;
  const behind = page ? new InPage(page) : new Server();

  // ---- what there is

  const items = new Map();
  let photos = [], views = [], version = 0, size = 64, least = Infinity;
  let stamp = "";           // of the album: with another one all numbers mean something else
  let order = [];           // of everything
  let shown = [];           // numbers of what the wall has, in its order
  let place = 0;            // where the cursor is, in `shown`
  let chosen = new Set();   // numbers selected
  let anchor = 0;           // where a selection began, in `shown`
  let alike = null;         // the crop that the wall is in order of likeness to
  let learntAt = 0;         // rejections at the last learnt order
  let rejections = 0;
  const undos = [];
  let queue = Promise.resolve();

  function take(rows) {
    for (const [id, photo, view, score, choice, pic, box] of rows) {
      const fresh = !items.has(id);
      items.set(id, { id, photo, view, score, choice, pic, box });
      if (fresh) order.push(id);
      const tile = tiles.get(id);
      if (tile) paint(tile, id);
    }
  }

  const here = () => items.get(shown[place]);

  function matches(item) {
    if (item.view !== Number($("view").value || 0)) return false;
    const state = $("state").value;
    return state === "all" || item.choice === { open: OPEN, rejected: REJECTED, kept: KEPT }[state];
  }

  function rebuild(keep = true) {
    const at = keep ? shown[place] : undefined;
    const list = alike === null ? order : alike.order;
    shown = list.filter((id) => items.has(id) && matches(items.get(id)));
    place = Math.max(0, at === undefined ? 0 : shown.indexOf(at));
    anchor = place;
    chosen = new Set([...chosen].filter((id) => shown.includes(id)));
    layout();
    reveal();
    count();
  }

  function count() {
    const tally = [0, 0, 0];
    for (const id of shown) tally[items.get(id).choice]++;
    const many = chosen.size ? `${chosen.size.toLocaleString("en-GB")} selected · ` : "";
    $("counts").textContent = `${many}${shown.length ? (place + 1).toLocaleString("en-GB") : 0} of `
      + `${shown.length.toLocaleString("en-GB")} · ${tally[REJECTED].toLocaleString("en-GB")} rejected · `
      + `${tally[KEPT].toLocaleString("en-GB")} kept by hand`;
    $("empty").hidden = shown.length > 0;
    $("like").firstChild.data = alike === null ? "Alike " : "Back ";
    $("like").lastElementChild.textContent = alike === null ? "l" : "Esc";
    $("undo").disabled = $("p-undo").disabled = undos.length === 0 && working === 0;
    const totals = views.map(() => 0);
    for (const item of items.values()) totals[item.view]++;
    for (const option of $("view").options) {
      const words = `${TITLES[views[option.value]] || views[option.value]} (${totals[option.value].toLocaleString("en-GB")})`;
      if (option.textContent !== words) option.textContent = words;
      option.hidden = totals[option.value] === 0 && option.value !== "0";
    }
  }

  // ---- the wall

  const wall = $("wall"), ground = $("tiles");
  const tiles = new Map();  // number -> its element, of those in the page
  const spare = [];         // elements that are to be used again
  let side = 112, columns = 1, rows = 0, lastTop = 0, lastTime = 0, settle = 0, frame = 0;

  function layout() {
    const width = ground.clientWidth;
    const narrow = wall.clientWidth < 600;
    const wanted = narrow ? Math.min(side, 112) : side;
    columns = Math.max(1, Math.floor((width + GAP) / (wanted + GAP)));
    cell = (width - GAP * (columns - 1)) / columns;
    rows = Math.ceil(shown.length / columns);
    ground.style.height = `${GAP + rows * (cell + GAP)}px`;
    render(true);
  }
  let cell = 112;

  function where(index) {
    return [Math.floor(index / columns) * (cell + GAP) + GAP, (index % columns) * (cell + GAP)];
  }

  let places = new Map();
  // What is there already is left as it is, unless the wall was laid out anew.
  function render(anew = false) {
    cancelAnimationFrame(frame);
    frame = 0;
    const first = Math.max(0, Math.floor(wall.scrollTop / (cell + GAP)) - AHEAD) * columns;
    const last = Math.min(shown.length,
      (Math.ceil((wall.scrollTop + wall.clientHeight) / (cell + GAP)) + AHEAD) * columns);
    const now = performance.now();
    const fast = Math.abs(wall.scrollTop - lastTop) / Math.max(1, now - lastTime) > FAST;
    lastTop = wall.scrollTop;
    lastTime = now;
    places = new Map();
    for (let index = first; index < last; index++) places.set(shown[index], index);
    for (const [id, tile] of tiles) {
      if (!places.has(id)) { tiles.delete(id); tile.remove(); tile.firstChild.removeAttribute("src"); spare.push(tile); }
    }
    while (spare.length > 200) spare.pop();
    for (const id of places.keys()) {
      let tile = tiles.get(id);
      if (!tile) {
        tile = spare.pop() || make();
        tiles.set(id, tile);
        tile.dataset.id = id;
        tile.id = `tile-${id}`;
        ground.append(tile);
        tile.waits = true;
        put(tile, id);
        paint(tile, id, fast);
      } else if (anew) {
        put(tile, id);
        paint(tile, id, fast);
      } else if (tile.waits && !fast) paint(tile, id);
    }
    clearTimeout(settle);
    if (fast) settle = setTimeout(() => render(), 90);
    const current = shown[place];
    if (tiles.has(current)) wall.setAttribute("aria-activedescendant", `tile-${current}`);
    else wall.removeAttribute("aria-activedescendant");
  }

  function make() {
    const tile = document.createElement("div");
    tile.className = "tile";
    tile.setAttribute("role", "option");
    const image = document.createElement("img");
    image.alt = "";
    image.decoding = "async";
    image.draggable = false;
    tile.append(image);
    return tile;
  }

  function put(tile, id) {
    const index = places.has(id) ? places.get(id) : -1;
    if (index < 0) return;
    const [top, left] = where(index);
    tile.style.top = `${top}px`;
    tile.style.left = `${left}px`;
    tile.style.width = tile.style.height = `${cell}px`;
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", shown.length);
  }

  function paint(tile, id, fast = false) {
    const item = items.get(id);
    const image = tile.firstChild;
    const source = behind.tile(item);
    if (!fast) {
      tile.waits = false;
      if (image.getAttribute("src") !== source) image.src = source;
    }
    tile.classList.toggle("rejected", item.choice === REJECTED);
    tile.classList.toggle("kept", item.choice === KEPT);
    tile.classList.toggle("chosen", chosen.has(id));
    tile.classList.toggle("here", id === shown[place]);
    tile.setAttribute("aria-selected", chosen.has(id) || (chosen.size === 0 && id === shown[place]));
    const word = ["", ", kept by hand", ", rejected"][item.choice];
    tile.setAttribute("aria-label", `${photos[item.photo][0]}${word}`);
    tile.title = photos[item.photo][0];
  }

  function repaint() { for (const [id, tile] of tiles) paint(tile, id); }

  function reveal() {
    if (!shown.length) { render(); return; }
    const [top] = where(place);
    if (top - GAP < wall.scrollTop) wall.scrollTop = top - GAP;
    else if (top + cell + GAP > wall.scrollTop + wall.clientHeight) wall.scrollTop = top + cell + GAP - wall.clientHeight;
    render();
  }

  function go(index, { extend = false, keep = false } = {}) {
    if (!shown.length) return;
    place = Math.min(shown.length - 1, Math.max(0, index));
    if (extend) select(anchor, place);
    else { anchor = place; if (!keep) chosen.clear(); }
    reveal();
    repaint();
    count();
  }

  function select(from, to) {
    chosen = new Set(shown.slice(Math.min(from, to), Math.max(from, to) + 1));
  }

  // ---- deciding

  function changeOf(item, choice) {
    const change = { photo: item.photo, choice: NAMES[choice] };
    if (item.box) { change.box = item.box.slice(0, 4); change.roll = item.box[4]; }
    return change;
  }

  function decide(choice) {
    if (!shown.length) return;
    const ids = chosen.size ? shown.filter((id) => chosen.has(id)) : [shown[place]];
    const lastPlace = shown.indexOf(ids[ids.length - 1]);
    post(ids.map((id) => changeOf(items.get(id), choice)), shown[place], ids, choice);
    chosen.clear();
    if ($("advance").checked && lastPlace + 1 < shown.length) go(lastPlace + 1);
    else { anchor = place; repaint(); count(); }
  }

  // What is decided shows at once; should it not be kept, it is taken back and said.
  function post(changes, at, ids = [], choice = OPEN, undoing = false) {
    const before = ids.map((id) => items.get(id).choice);
    ids.forEach((id) => { items.get(id).choice = choice; });
    repaint();
    work(1);
    queue = queue.then(async () => {
      try {
        const told = await behind.decide(changes);
        version = Math.max(version, told.version);
        take(told.items);
        if (!undoing) undos.push({ changes: told.undo, at });
        follow(told);
        return told;
      } catch (error) {
        ids.forEach((id, index) => { items.get(id).choice = before[index]; });
        repaint();
        toast(`Not kept: ${error.message}`, true);
        return null;
      } finally { work(-1); count(); }
    });
    return queue;
  }

  let working = 0;
  function work(by) {
    working += by;
    document.body.ariaBusy = String(working > 0);
    $("undo").disabled = $("p-undo").disabled = undos.length === 0 && working === 0;
  }
  addEventListener("beforeunload", (event) => { if (working) event.preventDefault(); });

  function undo() {
    work(1);
    queue = queue.then(async () => {
      const last = undos.pop();
      if (!last) { work(-1); return; }
      try {
        const told = await behind.decide(last.changes);
        version = Math.max(version, told.version);
        take(told.items);
        follow(told);
        const index = shown.indexOf(last.at);
        if (index >= 0) go(index);
        if (dialog.open) await look(true);
      } catch (error) {
        undos.push(last);
        toast(`Not undone: ${error.message}`, true);
      }
      work(-1);
      repaint();
      count();
    });
    return queue;
  }

  function follow(told) {
    if (told.rejections !== undefined) rejections = told.rejections;
    if (!page) {
      note(told.pending ? "Your decisions are kept. The data sets follow when you run: " : "", $("line").textContent);
      if (rejections >= least && rejections >= learntAt + (learntAt ? LEARN_EVERY : 0)) learn();
    }
  }

  let learning = false;
  async function learn() {
    if (learning || $("order").value !== "sure" || alike !== null || Number($("view").value) !== 0) return;
    learning = true;
    try {
      const told = await behind.order("sure");
      if (!told.learnt) { setTimeout(() => { if (rejections >= least) learn(); }, 3000); return; }
      if (told.learnt === learntAt) return;
      learntAt = told.learnt;
      order = told.order;
      // what was passed stays where it is: the rest comes in its new order
      const passed = shown.slice(0, place + 1), seen = new Set(passed);
      shown = [...passed, ...order.filter((id) => !seen.has(id) && items.has(id) && matches(items.get(id)))];
      layout();
      reveal();
      toast(`The rest is now in the order of what you rejected (learnt from ${told.learnt}).`);
    } catch { /* it is only an order */ } finally { learning = false; }
  }

  async function arrange() {
    alike = null;
    const name = $("order").value;
    for (;;) {
      const told = await behind.order(name);
      if ($("order").value !== name) return;
      if (told.order) {
        order = told.order;
        learntAt = told.learnt || 0;
        toast(told.learnt ? `In the order of what you rejected (learnt from ${told.learnt}).` : "");
        chosen.clear();
        rebuild(false);
        wall.scrollTop = 0;
        return;
      }
      if (told.refused) { toast(told.refused, true); $("order").value = "sure"; return arrange(); }
      toast(`Comparing crops: ${told.wait[0].toLocaleString("en-GB")} of ${told.wait[1].toLocaleString("en-GB")} …`, false, true);
      await new Promise((done) => setTimeout(done, 700));
    }
  }

  async function like() {
    const item = here();
    if (!item || !item.box) { toast("Only faces can be compared."); return; }
    for (;;) {
      const told = await behind.like(item.id);
      if (here() !== item) return;
      if (told.refused) { toast(told.refused, true); return; }
      if (told.order) {
        alike = { order: told.order, back: alike ? alike.back : { id: item.id, top: wall.scrollTop } };
        chosen.clear();
        rebuild();
        go(0);
        wall.scrollTop = 0;
        toast(`The crops most like this one come first. ${wall.clientWidth < 600 ? "Hold one to select several"
          : "Shift-click the last one that you mean"}, then reject them.`);
        return;
      }
      toast(`Comparing crops: ${told.wait[0].toLocaleString("en-GB")} of ${told.wait[1].toLocaleString("en-GB")} …`, false, true);
      await new Promise((done) => setTimeout(done, 500));
    }
  }

  function leaveAlike() {
    const { back } = alike;
    alike = null;
    rebuild();
    const index = shown.indexOf(back.id);
    if (index >= 0) { go(index); wall.scrollTop = back.top; }
    toast("");
  }

  // ---- words

  let toasting = 0;
  function toast(words, bad = false, stays = false) {
    clearTimeout(toasting);
    $("toast").textContent = words;
    $("toast").hidden = !words;
    $("toast").classList.toggle("bad", bad);
    (dialog.open ? dialog : document.body).append($("toast"));
    if (words && !stays) toasting = setTimeout(() => { $("toast").hidden = true; }, bad ? 9000 : 5000);
  }

  function note(words, line = "") {
    if ($("note").textContent === words + line && !$("note").hidden) return;
    $("note").textContent = words;
    if (line) {
      const code = document.createElement("code");
      code.textContent = line;
      $("note").append(code);
    }
    const was = $("note").hidden;
    $("note").hidden = !words;
    if (was !== $("note").hidden) layout();
  }

  // ---- one photo

  const dialog = $("photo"), over = $("over"), picture = $("whole");
  let about = null, face = 0, draft = null, dirty = false, looked = 0;

  async function look(again = false) {
    const item = here();
    if (!item || page) return;
    const mine = ++looked;
    let told;
    try { told = await behind.photo(item.photo); } catch (error) { toast(error.message, true); return; }
    if (mine !== looked || (again && !dialog.open)) return;  // closed while it was asked for
    about = told;
    about.number = item.photo;
    const wanted = item.box && about.faces.findIndex((one) => String(one.box) === String(item.box.slice(0, 4)));
    face = again && face < about.faces.length ? face : Math.max(0, wanted || 0);
    dirty = false;
    draft = null;
    if (!dialog.open) dialog.showModal();
    const source = behind.whole(item.photo);
    if (picture.getAttribute("src") !== source) {
      $("broken").hidden = true;
      picture.hidden = false;
      picture.src = source;
    }
    pick(face);
  }

  function pick(index) {
    face = about.faces.length ? (index + about.faces.length) % about.faces.length : 0;
    const one = about.faces[face];
    draft = one ? { crop: [...one.crop], box: one.box, roll: one.roll } : null;
    dirty = false;
    drawPhoto();
  }

  function start() {
    const side = Math.min(about.width, about.height) / 3;
    draft = { crop: [about.width / 2, about.height / 2, side, 0], box: null, roll: 0 };
    dirty = true;
    drawPhoto();
  }

  const node = (name, marks, parent) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(marks)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  };

  function fit() {
    const stage = picture.parentElement, unit = Math.max(about.width / stage.clientWidth, about.height / stage.clientHeight);
    const [width, height] = [about.width / unit, about.height / unit];
    for (const one of [picture, over]) {
      one.style.width = `${width}px`;
      one.style.height = `${height}px`;
    }
    over.style.left = `${(stage.clientWidth - width) / 2}px`;
    over.style.top = `${(stage.clientHeight - height) / 2}px`;
    return unit;
  }

  function drawPhoto() {
    if (!about || !dialog.open) return;
    const unit = fit();     // photo's pixels for one of the screen
    over.setAttribute("viewBox", `0 0 ${about.width} ${about.height}`);
    over.replaceChildren();
    const square = ([cx, cy, side, roll], kind) => {
      const group = node("g", { class: `face ${kind}`, transform: `translate(${cx} ${cy}) rotate(${-roll})` }, over);
      const half = side / 2;
      for (const name of ["under", "line"]) node("rect", { class: name, x: -half, y: -half, width: side, height: side }, group);
      return group;
    };
    about.faces.forEach((one, index) => {
      if (draft && draft.box && index === face) return;
      const group = square(one.crop, `other ${["", "kept", "rejected"][one.choice]}`);
      group.dataset.face = index;
    });
    if (draft) {
      const one = draft.box ? about.faces[face] : null;
      const group = square(draft.crop, one ? ["", "kept", "rejected"][one.choice] : "kept");
      const half = draft.crop[2] / 2, r = 8 * unit;
      node("line", { x1: 0, y1: -half, x2: 0, y2: -half - 26 * unit }, group);
      node("circle", { class: "handle knob", cx: 0, cy: -half - 26 * unit, r }, group);
      for (const [x, y] of [[-1, -1], [1, -1], [-1, 1], [1, 1]]) {
        node("circle", { class: "handle corner", cx: x * half, cy: y * half, r }, group);
      }
    }
    drawCrop();
    const one = draft && draft.box ? about.faces[face] : null;
    const word = one ? ["", " · kept by hand", " · rejected"][one.choice] : ["", " · photo kept", " · photo rejected"][about.choice];
    $("about").textContent = `${about.path} · ${about.reason}${word}`;
    const pixels = draft ? Math.round(draft.crop[2]) : 0;
    const small = draft && pixels < about.size;
    $("fits").textContent = !draft ? "No face. Press n to draw a square."
      : small ? `${pixels} pixels wide: too small, ${about.size} are needed.` : `${pixels} pixels wide, turned by ${Math.round(draft.crop[3])}°`;
    $("p-save").hidden = !dirty;
    $("p-save").disabled = Boolean(small);
    $("p-found").disabled = !(one && one.found && (dirty || one.drawn));
    $("p-face").disabled = about.faces.length < 2;
  }

  function drawCrop() {
    const canvas = $("crop"), pen = canvas.getContext("2d"), width = canvas.width;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, width);
    if (!draft || !picture.complete || !picture.naturalWidth) return;
    const [cx, cy, side, roll] = draft.crop;
    pen.imageSmoothingQuality = "high";
    pen.translate(width / 2, width / 2);
    pen.scale(width / side, width / side);
    pen.rotate(roll * Math.PI / 180);
    pen.translate(-cx, -cy);
    pen.drawImage(picture, 0, 0, about.width, about.height);
  }

  // As `curate` cuts: shifted inside the photo as an upright square would have to be.
  function edit(change) {
    if (!draft) return;
    let [cx, cy, side, roll] = change(...draft.crop);
    side = Math.min(Math.max(8, side), 2 * Math.max(about.width, about.height));
    const inside = (middle, length) => side >= length ? length / 2 : Math.min(Math.max(middle, side / 2), length - side / 2);
    roll = ((roll + 540) % 360) - 180;
    draft.crop = [inside(cx, about.width), inside(cy, about.height), side, roll];
    dirty = true;
    drawPhoto();
  }

  async function save() {
    if (!draft || !dirty || draft.crop[2] < about.size) return;
    const change = { photo: about.number, choice: "kept", crop: draft.crop.map((value) => Math.round(value * 100) / 100) };
    if (draft.box) { change.box = draft.box; change.roll = draft.roll; }
    const told = await post([change], shown[place]);
    if (!told || !dialog.open) return;
    toast("Kept.");
    await look(true);
    if (!change.box && about) pick(about.faces.length - 1);
  }

  async function decidePhoto(choice) {
    if (!about) return;
    if (dirty && choice === KEPT) { await save(); return; }
    const one = draft && draft.box ? about.faces[face] : null;
    const change = one ? { photo: about.number, box: one.box, roll: one.roll, choice: NAMES[choice] }
      : { photo: about.number, choice: NAMES[choice] };
    dirty = false;
    const told = await post([change], shown[place]);
    if (!told || !dialog.open) return;
    if ($("advance").checked && choice !== OPEN && about.faces.length < 2) step(1);
    else look(true);
  }

  async function asFound() {
    const one = draft && draft.box ? about.faces[face] : null;
    if (!one || !one.found) return;
    if (one.drawn) {
      const told = await post([{ photo: about.number, box: one.box, roll: one.roll, choice: "cleared" }], shown[place]);
      if (told) look(true);
    } else pick(face);
  }

  async function step(by) {
    if (dirty && draft.crop[2] >= about.size) await save();
    if (!dialog.open) return;
    if (place + by < 0 || place + by >= shown.length) { toast(by > 0 ? "That was the last one." : "This is the first one."); await look(true); return; }
    go(place + by);
    await look();
  }

  picture.addEventListener("load", drawPhoto);
  picture.addEventListener("error", async () => {
    picture.hidden = true;
    $("broken").hidden = false;
    $("broken").textContent = "The photo cannot be shown.";
    try { $("broken").textContent = `The photo cannot be shown: ${(await (await fetch(picture.src)).text()).trim()}.`; } catch { /* gone */ }
  });

  const fingers = new Map();
  let grip = null;
  const at = (event) => {
    const box = over.getBoundingClientRect();
    return [(event.clientX - box.left) * about.width / box.width, (event.clientY - box.top) * about.height / box.height];
  };
  over.addEventListener("pointerdown", (event) => {
    if (!about) return;
    event.preventDefault();
    over.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    const other = event.target.closest("[data-face]");
    if (other && fingers.size === 1) { pick(Number(other.dataset.face)); }
    if (!draft) return;
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()];
      grip = { kind: "two", far: Math.hypot(b[0] - a[0], b[1] - a[1]), angle: Math.atan2(b[1] - a[1], b[0] - a[0]), crop: [...draft.crop] };
      return;
    }
    const kind = event.target.classList.contains("knob") ? "turn" : event.target.classList.contains("corner") ? "size" : "move";
    grip = { kind, from: at(event), crop: [...draft.crop] };
  });
  over.addEventListener("pointermove", (event) => {
    if (!grip || !fingers.has(event.pointerId)) return;
    const spot = at(event);
    fingers.set(event.pointerId, spot);
    const [cx, cy, side, roll] = grip.crop;
    if (grip.kind === "two") {
      if (fingers.size < 2) return;
      const [a, b] = [...fingers.values()];
      const far = Math.hypot(b[0] - a[0], b[1] - a[1]), angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
      edit(() => [cx, cy, side * far / grip.far, roll - (angle - grip.angle) * 180 / Math.PI]);
    } else if (grip.kind === "move") {
      if (!dirty && Math.hypot(spot[0] - grip.from[0], spot[1] - grip.from[1]) < 3 * about.width / over.clientWidth) return;
      edit(() => [cx + spot[0] - grip.from[0], cy + spot[1] - grip.from[1], side, roll]);
    } else if (grip.kind === "size") {
      const before = Math.hypot(grip.from[0] - cx, grip.from[1] - cy);
      edit(() => [cx, cy, side * Math.hypot(spot[0] - cx, spot[1] - cy) / before, roll]);
    } else edit(() => [cx, cy, side, Math.atan2(cx - spot[0], cy - spot[1]) * 180 / Math.PI]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    over.addEventListener(name, (event) => { fingers.delete(event.pointerId); if (!fingers.size) grip = null; });
  }
  over.addEventListener("wheel", (event) => {
    event.preventDefault();
    const by = event.deltaY || event.deltaX;
    if (event.shiftKey) edit((cx, cy, side, roll) => [cx, cy, side, roll - Math.sign(by) * 2]);
    else edit((cx, cy, side, roll) => [cx, cy, side * Math.exp(-Math.sign(by) * 0.04), roll]);
  }, { passive: false });

  dialog.addEventListener("close", () => { dirty = false; about = null; toast(""); wall.focus(); repaint(); });

  const CLICKS = {
    "reject": () => decide(REJECTED), "keep": () => decide(KEPT), "undo": undo, "like": () => alike === null ? like() : leaveAlike(), "open": () => look(),
    "keys": () => $("help").showModal(), "h-close": () => $("help").close(),
    "p-reject": () => decidePhoto(REJECTED), "p-keep": () => decidePhoto(KEPT), "p-save": save, "p-found": asFound,
    "p-new": start, "p-face": () => pick(face + 1), "p-undo": undo, "p-back": () => step(-1), "p-next": () => step(1),
    "p-close": () => dialog.close(), "save": download,
  };
  for (const [id, act] of Object.entries(CLICKS)) {
    const button = $(id);
    if (button) button.addEventListener("click", () => { act(); if (!dialog.open && !$("help").open) wall.focus(); });
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([behind.saved()], { type: "application/jsonl" }));
    link.download = "decisions.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // ---- keys

  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const command = event.ctrlKey || event.metaKey;
    if (event.altKey || (command && !["z", "a"].includes(key))) return;
    if ($("help").open) { if (key === "?") $("help").close(); return; }
    if (event.target.tagName === "SELECT") {
      if (key === "Escape" || key === "Enter") wall.focus();
      return;
    }
    const onButton = event.target.tagName === "BUTTON" || event.target.tagName === "INPUT";
    if (onButton && (key === "Enter" || key === " ")) return;
    const act = dialog.open ? inPhoto(key, event, command) : onWall(key, event, command);
    if (act) { event.preventDefault(); act(); }
  });

  function onWall(key, event, command) {
    if (command) return { z: undo, a: () => { chosen = new Set(shown); repaint(); count(); } }[key];
    const extend = event.shiftKey;
    const screen = Math.max(1, Math.floor(wall.clientHeight / (cell + GAP)) - 1) * columns;
    const to = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -screen, PageDown: screen };
    if (key in to) {
      const aim = place + to[key];
      if ((key === "ArrowUp" && aim < 0) || (key === "ArrowDown" && aim >= shown.length
        && Math.floor(place / columns) === rows - 1)) return () => {};
      return () => go(aim, { extend });
    }
    return {
      Home: () => go(0, { extend }), End: () => go(shown.length - 1, { extend }),
      x: () => decide(REJECTED), k: () => decide(KEPT), c: () => decide(OPEN), u: undo, l: like,
      Enter: () => look(), " ": () => look(), "?": () => $("help").showModal(),
      a: () => { $("advance").checked = !$("advance").checked; toast(`Auto-advance is ${$("advance").checked ? "on" : "off"}.`); },
      v: () => next($("view")), o: () => next($("order")),
      "+": () => resize(1.25), "=": () => resize(1.25), "-": () => resize(0.8),
      Escape: () => { if (chosen.size) { chosen.clear(); repaint(); count(); } else if (alike !== null) leaveAlike(); },
    }[key];
  }

  function inPhoto(key, event, command) {
    if (command) return key === "z" ? undo : undefined;
    const nudge = about ? Math.max(1, about.width / 300) : 1;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (key in moves && event.shiftKey) {
      const [x, y] = moves[key];
      return () => edit((cx, cy, side, roll) => [cx + x * nudge, cy + y * nudge, side, roll]);
    }
    return {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      "+": () => edit((x, y, s, r) => [x, y, s * 1.03, r]), "=": () => edit((x, y, s, r) => [x, y, s * 1.03, r]),
      "-": () => edit((x, y, s, r) => [x, y, s / 1.03, r]),
      "[": () => edit((x, y, s, r) => [x, y, s, r + 2]), "]": () => edit((x, y, s, r) => [x, y, s, r - 2]),
      x: () => decidePhoto(REJECTED), k: () => decidePhoto(KEPT), c: () => decidePhoto(OPEN), u: undo,
      n: start, f: () => pick(face + 1), r: asFound,
      Enter: () => dirty ? save() : dialog.close(), " ": () => dirty ? save() : dialog.close(),
      "?": () => $("help").showModal(),
    }[key];
  }

  function next(choice) {
    const open = [...choice.options].filter((option) => !option.hidden);
    choice.value = open[(open.findIndex((option) => option.value === choice.value) + 1) % open.length].value;
    choice.dispatchEvent(new Event("change"));
  }

  function resize(by) {
    side = Math.min(320, Math.max(48, side * by));
    layout();
    reveal();
  }

  // ---- mouse and touch on the wall

  let press = null, band = null;
  const spotOf = (event) => {
    const box = ground.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const indexAt = (event) => {
    const tile = event.target.closest && event.target.closest(".tile");
    return tile ? shown.indexOf(Number(tile.dataset.id)) : -1;
  };
  wall.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.clientX > wall.getBoundingClientRect().left + wall.clientWidth) return;
    const index = indexAt(event);
    press = { index, from: spotOf(event), x: event.clientX, y: event.clientY, touch: event.pointerType === "touch", held: false, id: event.pointerId };
    if (press.touch && index >= 0) {
      press.timer = setTimeout(() => {
        press.held = true;
        toggle(index);
        if (navigator.vibrate) navigator.vibrate(15);
      }, HOLD);
    }
  });
  wall.addEventListener("pointermove", (event) => {
    if (!press || event.pointerId !== press.id) return;
    const moved = Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLACK;
    if (press.touch) { if (moved) { clearTimeout(press.timer); press.gone = true; } return; }
    if (!band && moved) {
      wall.setPointerCapture(event.pointerId);
      band = document.createElement("div");
      band.id = "band";
      ground.append(band);
      press.before = event.ctrlKey || event.metaKey ? new Set(chosen) : new Set();
    }
    if (band) stretch(event);
  });
  let creeping = 0;
  function stretch(event) {
    const to = spotOf(event), [x0, y0] = press.from;
    const [left, right] = [Math.min(x0, to[0]), Math.max(x0, to[0])], [top, bottom] = [Math.min(y0, to[1]), Math.max(y0, to[1])];
    band.style.left = `${left}px`;
    band.style.top = `${top}px`;
    band.style.width = `${right - left}px`;
    band.style.height = `${bottom - top}px`;
    chosen = new Set(press.before);
    const step = cell + GAP;
    const c0 = Math.max(0, Math.floor((left + GAP) / step)), c1 = Math.min(columns - 1, Math.floor(right / step));
    const r0 = Math.max(0, Math.floor(top / step)), r1 = Math.min(rows - 1, Math.floor((bottom - GAP) / step));
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) if (r * columns + c < shown.length) chosen.add(shown[r * columns + c]);
    }
    repaint();
    count();
    const box = wall.getBoundingClientRect();
    const creep = event.clientY < box.top + 24 ? -12 : event.clientY > box.bottom - 24 ? 12 : 0;
    clearTimeout(creeping);
    if (creep) creeping = setTimeout(() => { if (band) { wall.scrollTop += creep; stretch(event); } }, 16);
  }
  function toggle(index) {
    const id = shown[index];
    if (chosen.has(id)) chosen.delete(id); else chosen.add(id);
    place = anchor = index;
    repaint();
    count();
  }
  wall.addEventListener("pointerup", (event) => {
    if (!press || event.pointerId !== press.id) return;
    clearTimeout(press.timer);
    const { index, touch, held, gone } = press;
    press = null;
    if (band) {
      clearTimeout(creeping);
      band.remove();
      band = null;
      const first = shown.findIndex((id) => chosen.has(id));
      if (first >= 0) { place = anchor = first; repaint(); count(); }
      return;
    }
    if (held || gone || index < 0) return;
    if (event.shiftKey) go(index, { extend: true });
    else if (event.ctrlKey || event.metaKey || (touch && chosen.size)) toggle(index);
    else go(index);
  });
  wall.addEventListener("pointercancel", () => { if (press) clearTimeout(press.timer); press = null; if (band) band.remove(); band = null; });
  wall.addEventListener("contextmenu", (event) => { if (press && press.touch) event.preventDefault(); });
  wall.addEventListener("dblclick", (event) => { if (indexAt(event) >= 0) look(); });
  wall.addEventListener("scroll", () => { if (!frame) frame = requestAnimationFrame(() => render()); }, { passive: true });
  new ResizeObserver(() => { layout(); reveal(); drawPhoto(); }).observe(wall);
  new ResizeObserver(drawPhoto).observe(picture.parentElement);

  $("view").addEventListener("change", () => { alike = null; chosen.clear(); rebuild(false); wall.scrollTop = 0; wall.focus(); });
  $("state").addEventListener("change", () => { chosen.clear(); rebuild(); wall.focus(); });
  $("order").addEventListener("change", () => { arrange().catch((error) => toast(error.message, true)); wall.focus(); });

  // ---- other windows

  async function poll() {
    if (document.visibilityState === "visible") {
      try {
        const told = await behind.changes(version);
        if (told.stamp !== stamp) { location.reload(); return; }  // `curate` was run again
        if (told.version > version) {
          version = told.version;
          take(told.items);
          follow(told);
          repaint();
          count();
        } else follow({ pending: told.pending });
        if (lost) { lost = false; toast("Connected again."); }
      } catch {
        if (!lost) { lost = true; toast("catgan review has been stopped: nothing you decide now is kept.", true, true); }
      }
    }
    setTimeout(poll, EVERY);
  }
  let lost = false;

  async function begin() {
    if (!page && location.search) history.replaceState(null, "", "/");
    const album = await behind.album();
    ({ version, photos, views, size } = album);
    least = album.least || Infinity;
    stamp = album.stamp || "";
    views.forEach((name, index) => $("view").add(new Option(TITLES[name] || name, index)));
    order = [];
    take(album.items);
    document.body.dataset.ready = "";
    follow(album);
    await arrange();
    document.body.dataset.ready = "yes";
    wall.focus();
    if (!page) setTimeout(poll, EVERY);
  }
  begin().catch((error) => toast(error.message, true, true));
})();
