// A beamer of 4:3 gets slides of its own shape, not those of a wide screen made small.
const printed = /print-pdf|view=print/.test(location.search);
const previewed = /receiver/.test(location.search);  // beside the speaker's notes
const shapes = { '4:3': { width: 1024, height: 768 }, '16:9': { width: 1280, height: 720 } };
function shape() {
  const square = !printed && !previewed && innerWidth / innerHeight < 1.5;
  const name = square ? '4:3' : '16:9';
  document.documentElement.dataset.shape = name;
  return shapes[name];
}

// The spider in the margin comes down its thread as the talk goes on.
function descend() {
  document.querySelector('.lifeline').style.setProperty('--progress', Reveal.getProgress());
}

// A key pressed beside the speaker's notes is meant for the room, which is another window.
function inTheRoom(does) {
  addEventListener('message', ({ data }) => data === `stormy:${does.name}` && does());
  const room = previewed && parent.opener;
  return () => (room ? room.postMessage(`stormy:${does.name}`, '*') : does());
}

// A key that would load the speaker's view again, which has no address of its own: it would be
// empty.
function keepTheView(press) {
  const reloads = press.key === 'F5' || ((press.ctrlKey || press.metaKey) && press.key === 'r');
  if (reloads) press.preventDefault();
}
if (previewed) {
  document.documentElement.dataset.previewed = '';
  addEventListener('keydown', keepTheView);
}

// reveal.js lists P as a way back, and here it plays a film.
function correctTheHelp() {
  for (const key of document.querySelectorAll('.r-overlay-help td:first-child')) {
    key.textContent = key.textContent.replace('P  ,  Shift', 'Shift');
  }
}

// reveal.js gives to all of the appendix the number of the last slide before it.
function numberTheAppendix() {
  document.querySelector('.slide-number').dataset.number =
    Reveal.getCurrentSlide().dataset.number ?? '';
}
function numberItsPages() {
  for (const page of document.querySelectorAll('.pdf-page:has([data-number])')) {
    page.querySelector('.slide-number-pdf').textContent =
      page.querySelector('section').dataset.number;
  }
}

// How light a room is, nobody knows before the talk.
function turnTheLight() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === 'dark'
    || (root.style.colorScheme === '' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.style.colorScheme = dark ? 'light' : 'dark';
}

// Code has the largest letters with which its slide has room for all of it, and no line breaks.
const LARGEST = 34, SMALLEST = 18;  // pixels of the slide

function fit(slide) {
  const { shape } = document.documentElement.dataset;
  const code = [...slide.querySelectorAll('pre')].filter((pre) => pre.offsetWidth);
  if (!code.length || slide.dataset.fitted === shape) return;
  slide.dataset.fitted = shape;
  const { height } = shapes[shape];
  const hasRoom = () => slide.offsetHeight <= height
    && code.every((pre) => pre.offsetWidth < pre.parentElement.clientWidth);
  slide.classList.add('fitting');
  let size = LARGEST;
  do slide.style.setProperty('--code-text', `${size}px`);
  while (!hasRoom() && --size >= SMALLEST);
  slide.classList.remove('fitting');
}
const fitAll = () => document.querySelectorAll('.slides section:not(.stack)').forEach(fit);

// What the browser prints by itself looks as in reveal.js's print view: a slide is a page.
function bePrintable() {
  document.head.insertAdjacentHTML(
    'beforeend', '<style>@page { size: 1280px 720px; margin: 0; }</style>');
  addEventListener('beforeprint', layOnPaper);
  addEventListener('afterprint', takeFromPaper);
}
function layOnPaper() {
  document.documentElement.dataset.shape = '16:9';
  document.documentElement.classList.add('paper');
  fitAll();
}
function takeFromPaper() {
  document.documentElement.classList.remove('paper');
  shape();
  fit(Reveal.getCurrentSlide());
}

// The appendix is reached by links, and from the overview: who goes on at the end stays there.
function stayBefore(event) {
  const isLater = (slide) => slide?.matches('[data-visibility=uncounted]');
  const goal = Reveal.getSlide(event.indexh, event.indexv);
  const isNext = event.indexh === Reveal.getIndices().h + 1;
  const enters = isLater(goal) && !isLater(Reveal.getCurrentSlide());
  if (enters && isNext && !Reveal.isOverview()) event.preventDefault();
}

// A film is still until somebody asks for it, and for those who want no motion it stays so.
const still = matchMedia('(prefers-reduced-motion: reduce)');
const films = document.querySelectorAll('div.film');

function stop(film) {
  const button = film.querySelector('button');
  film.querySelectorAll('[begin]').forEach((motion) => motion.endElement());
  button.textContent = button.dataset.play;
  delete film.dataset.playing;
}

function play(film) {
  const button = film.querySelector('button');
  if ('playing' in film.dataset || still.matches) return stop(film);
  film.querySelectorAll('[begin]').forEach((motion) => motion.beginElement());
  button.textContent = button.dataset.stop;
  film.dataset.playing = '';
}

function playFilms() {
  Reveal.getCurrentSlide().querySelectorAll('div.film').forEach(play);
}

function offer(film) {
  stop(film);
  film.querySelector('button').hidden = still.matches || printed;
}

films.forEach((film) => {
  const button = film.querySelector('button');
  offer(film);
  button.addEventListener('click', (press) => {
    play(film);
    // Who clicked with a mouse wants the next key for the slides again.
    if (press.detail) button.blur();
  });
  // To reveal.js the key is the next step, wherever the focus is.
  button.addEventListener('keydown', (press) => press.key === ' ' && press.stopPropagation());
  film.querySelector('animate').addEventListener('endEvent', () => stop(film));
});
still.addEventListener('change', () => films.forEach(offer));

// With ?read, and by itself where a slide would be a strip, the slides are a page of text, for a
// phone, or for letters of any size.
const small = matchMedia('(max-width: 599px), (max-height: 449px)').matches;
const reading = /[?&]read\b/.test(location.search) || (small && !printed && !previewed);

// The slide of an address like reveal.js's: by its place, or the last before it, or by its name.
function addressed() {
  const [first, down = 0] = decodeURIComponent(location.hash).replace(/^#\/?/, '').split('/');
  if (!first) return null;
  const columns = [...document.querySelectorAll('.slides > section')];
  const column = columns[Math.min(first, columns.length - 1)];
  const slides = [...column?.querySelectorAll('section') ?? []];
  return document.getElementById(first) ?? slides[Math.min(down, slides.length - 1)] ?? null;
}

function read() {
  document.documentElement.dataset.reading = '';
  document.head.insertAdjacentHTML('beforeend', document.querySelector('noscript').textContent);
  const turnTo = () => addressed()?.scrollIntoView();
  addEventListener('hashchange', turnTo);
  turnTo();
  letKeysScroll();
  addEventListener('resize', letKeysScroll);
}

// On a narrow page what is too wide scrolls: in Safari by key only if it can have the focus.
function letKeysScroll() {
  for (const each of document.querySelectorAll('.slides :is(pre, div.film, :has(> .bars))')) {
    const scrolls = getComputedStyle(each).overflowX !== 'visible';
    if (!scrolls || each.scrollWidth <= each.clientWidth) {
      each.removeAttribute('tabindex');
      continue;
    }
    each.tabIndex = 0;
    if (each.hasAttribute('role')) continue;
    const kind = each.matches('pre') ? 'Code' : 'Picture';
    const heading = each.closest('section').querySelector('h1, h2, h3');
    each.setAttribute('role', 'group');
    each.setAttribute('aria-label', `${kind}: ${heading?.textContent ?? ''}`);
  }
}

if (reading) read();
else start();

function start() {
  Reveal.initialize({
    ...shape(),
    plugins: [RevealNotes],
    margin: 0,
    maxScale: 8,  // also on a wall
    center: false,
    hash: true,
    progress: false,
    slideNumber: 'c/t',  // beside the notes too: G counts as the numbers do
    controls: !previewed,
    controlsTutorial: false,  // an arrow that bounces, for long and on its own
    defaultTiming: 60,  // seconds; with it the speaker view has a pace, each slide has its own
    transition: 'none',
    backgroundTransition: 'none',
    pdfSeparateFragments: false,
  }).then(() => {
    // As an "application", a screen reader would keep its own reading keys from the listener.
    document.querySelector('.reveal').removeAttribute('role');
    // Whatever the address says.
    if (Reveal.getConfig().showNotes) Reveal.configure({ showNotes: false });
    addEventListener('resize', () => {
      const before = document.documentElement.dataset.shape;
      const size = shape();
      if (document.documentElement.dataset.shape === before) return;
      Reveal.configure(size);
      fit(Reveal.getCurrentSlide());
    });
    fit(Reveal.getCurrentSlide());
    Reveal.on('slidechanged', ({ currentSlide }) => fit(currentSlide));
    numberTheAppendix();
    Reveal.on('slidechanged', numberTheAppendix);
    Reveal.on('overviewshown', fitAll);
    Reveal.on('pdf-ready', fitAll);
    Reveal.on('pdf-ready', numberItsPages);
    if (!printed) bePrintable();
    Reveal.on('beforeslidechange', stayBefore);
    Reveal.on('showhelp', correctTheHelp);
    for (const step of ['slidechanged', 'fragmentshown', 'fragmenthidden']) {
      Reveal.on(step, () => {
        document.querySelectorAll('div.film[data-playing]').forEach(stop);
        descend();
      });
    }
    descend();
    // Among all slides, at a glance, there is nothing to follow and nothing to press.
    const stops = document.querySelectorAll('.slides :is(a, button)');
    Reveal.on('overviewshown', () => stops.forEach((each) => { each.tabIndex = -1; }));
    Reveal.on('overviewhidden', () => stops.forEach((each) => each.removeAttribute('tabindex')));
    Reveal.addKeyBinding(
      { keyCode: 84, key: 'T', description: 'Light or dark' }, inTheRoom(turnTheLight));
    Reveal.addKeyBinding(
      { keyCode: 80, key: 'P', description: 'Play the film slowly, or stop it' },
      inTheRoom(playFilms));
  });
}
