// What check.py, beside this file, evaluates in a deck. Its functions return complaints: what is
// wrong, and by how much, if that can be said.
(() => {
  const words = (text) => {
    const all = text.replace(/\s+/g, ' ').trim();
    return `"${all.length > 50 ? `${all.slice(0, 50)} ...` : all}"`;
  };

  const boxOf = (element) => element.getBoundingClientRect();

  // Text of one pixel, or clipped to nothing, is there for screen readers alone.
  const isForScreenReaders = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.overflow !== 'visible' && style.position === 'absolute'
          && (each.offsetWidth <= 1 || each.offsetHeight <= 1)) return true;
    }
    return false;
  };

  const isVisible = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && !element.closest('defs, clipPath, mask, pattern, symbol, marker')
    && !isForScreenReaders(element);

  // How many pixels of the screen one pixel of an element's own style takes.
  const scaleOf = (element) => {
    if (element instanceof SVGGraphicsElement) {
      const { c, d } = element.getScreenCTM();
      return Math.hypot(c, d);
    }
    let scale = element.currentCSSZoom;
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      const { c, d } = new DOMMatrix(style.transform);
      scale *= Math.hypot(c, d);
      if (style.scale !== 'none') scale *= parseFloat(style.scale.split(' ').at(-1));
    }
    return scale;
  };

  // What words belong to: within one block they may overlap.
  const blockOf = (element) => {
    let block = element;
    if (block.closest('svg')) return block.closest('text, foreignObject') ?? block;
    while (/^(inline|contents)/.test(getComputedStyle(block).display)
        && block.parentElement && !/^(button|a)$/i.test(block.tagName)) {
      block = block.parentElement;
    }
    return block;
  };

  // Each piece of text that can be seen, with its place and the size of its letters.
  const textsIn = (root) => {
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !isVisible(element)) continue;
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()].filter((box) => box.width && box.height);
      if (!boxes.length) continue;
      const size = parseFloat(getComputedStyle(element).fontSize) * scaleOf(element);
      found.push({ element, block: blockOf(element), boxes, size, says: node.data });
    }
    return found;
  };

  // Text from a style sheet's `content`. A script can ask how large it is, and not where.
  const wordsOfStyles = (root) => [...root.querySelectorAll('*')].flatMap((element) =>
    ['::before', '::after'].flatMap((which) => {
      const style = getComputedStyle(element, which);
      const said = style.content.match(/^"(.*[\p{L}\p{N}].*)"$/u)?.[1];
      if (!said || style.display === 'none' || !isVisible(element)) return [];
      const size = parseFloat(style.fontSize) * scaleOf(element);
      return [{ element, block: element, boxes: [], size, says: said }];
    }));

  const PICTURES = 'img, svg, video, canvas, iframe, object, embed';
  const CLEAR = /^rgba\(.*, 0\)$|^transparent$/;
  const isPainted = (style) => !CLEAR.test(style.backgroundColor)
    || style.backgroundImage !== 'none' || style.boxShadow !== 'none'
    || ['Top', 'Right', 'Bottom', 'Left'].some((side) =>
      parseFloat(style[`border${side}Width`]) > 0);

  const name = (element) => {
    const tag = element.tagName.toLowerCase();
    const said = element.getAttribute('aria-label') || element.alt || element.textContent;
    return said.trim() ? `<${tag}> ${words(said)}` : `<${tag}>`;
  };

  // Boxes that can be seen: pictures, and elements with a background, a border or a shadow.
  const boxesIn = (root) => [...root.querySelectorAll('*')].filter((element) => {
    const outer = element.parentElement.closest('svg');
    if (outer && getComputedStyle(outer).overflow !== 'visible') return false;
    const box = boxOf(element);
    if (!box.width || !box.height) return false;
    const seen = outer ? element instanceof SVGGeometryElement
      : element.matches(PICTURES) || isPainted(getComputedStyle(element));
    return seen && isVisible(element);
  });

  const beyond = (box, room) => [
    ['left', room.left - box.left], ['top', room.top - box.top],
    ['right', box.right - room.right], ['bottom', box.bottom - room.bottom],
  ].filter(([, pixels]) => pixels > 1);

  const px = (pixels) => `${Math.round(pixels)} px`;

  // The element that clips a thing, with the side where it clips most; or null. A piece of text
  // can be clipped by its own element, another thing only by what is around it.
  const frameOf = (element, box, isText) => {
    let absolute = !isText && getComputedStyle(element).position === 'absolute';
    for (let around = isText ? element : element.parentElement;
      around && !around.matches('.slides'); around = around.parentElement) {
      const style = getComputedStyle(around);
      if (absolute && style.position === 'static') continue;
      absolute = style.position === 'absolute';
      const across = style.overflowX !== 'visible', down = style.overflowY !== 'visible';
      const outer = boxOf(around);
      const [worst] = beyond(box, {
        left: across ? outer.left : -Infinity, right: across ? outer.right : Infinity,
        top: down ? outer.top : -Infinity, bottom: down ? outer.bottom : Infinity,
      }).sort(([, one], [, other]) => other - one);
      if (!worst) continue;
      const scrolls = /auto|scroll/.test(`${style.overflowX} ${style.overflowY}`);
      return { around, scrolls, side: worst[0], pixels: worst[1] };
    }
    return null;
  };

  const overlap = (one, other) => Math.min(
    Math.min(one.right, other.right) - Math.max(one.left, other.left),
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));

  // How far the boxes of two lines may overlap, in pixels of the slide: they are higher than the
  // letters in them.
  const LINE_OVERLAP = 5;

  // Whether two things must not overlap: words and words, or words and a picture or a background
  // that does not contain them.
  const collide = (one, other) => {
    if (!one.isText && !other.isText || one.block === other.block) return false;
    if (one.isText && other.isText) return true;
    const [text, box] = one.isText ? [one, other] : [other, one];
    return !box.element.contains(text.element)
      && (box.element.matches(PICTURES)
        || getComputedStyle(box.element).backgroundImage !== 'none'
        || !CLEAR.test(getComputedStyle(box.element).backgroundColor));
  };

  // By how many pixels code is higher than its lines would be side by side, with its longest line.
  const brokenLine = (pre) => {
    if (!pre.offsetWidth) return [0, ''];
    const before = pre.style.whiteSpace;
    const height = pre.offsetHeight;
    pre.style.whiteSpace = 'pre';
    const broken = height - pre.offsetHeight;
    pre.style.whiteSpace = before;
    const lines = pre.textContent.split('\n');
    return [broken, lines.sort((one, other) => other.length - one.length)[0]];
  };

  const furnitureName = (element) => {
    if (element.closest('.slide-number')) return 'the slide number';
    const button = element.closest('button');
    return button ? `the button ${words(button.getAttribute('aria-label') || button.textContent)}`
      : `the ${element.closest('[class]').classList[0]}`;
  };

  // What stays in its place while the slides change: the slide's number, and the buttons.
  const furnitureOf = (around) => [
    ...around.flatMap(({ element, boxes }) => boxes.map((box) => [element, box])),
    ...[...document.querySelectorAll('.reveal svg, .reveal button')]
      .filter((element) => !element.closest('section') && isVisible(element))
      .map((element) => [element, boxOf(element)]),
  ].map(([element, box]) => [furnitureName(element), box]);

  // Whether all of a slide is on the screen, not covered, and large enough to be read.
  // `smallest` has the least size of `text` and of `code`, in pixels of the screen.
  function layout(smallest) {
    const slide = Reveal.getCurrentSlide();
    const stage = boxOf(document.querySelector('.slides'));
    const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const room = {
      left: Math.max(0, stage.left), top: Math.max(0, stage.top),
      right: Math.min(innerWidth, stage.right), bottom: Math.min(innerHeight, stage.bottom),
    };

    // Of the complaints of one kind about one thing, the worst is kept.
    const kinds = {};
    const complain = (kind, about, pixels, sentence, detail = '') => {
      const worst = kinds[kind] ??= new Map();
      if (!(worst.get(about)?.pixels >= pixels)) worst.set(about, { pixels, sentence, detail });
    };

    const texts = textsIn(document.body);
    const inside = texts.filter(({ element }) => slide.contains(element));
    const around = texts.filter(({ element }) => !element.closest('.slides section'));
    const things = [
      ...inside.flatMap(({ element, block, boxes, says }) =>
        boxes.map((box) => ({ element, block, box, says: words(says), isText: true }))),
      ...boxesIn(slide).map((element) =>
        ({ element, block: element, box: boxOf(element), says: name(element) })),
    ];

    const filled = Math.max(stage.width / innerWidth, stage.height / innerHeight);
    if (filled < 0.98) complain('stage', '', 0, 'the slide does not fill the screen');

    for (const { element, block, size, says } of [...texts, ...wordsOfStyles(slide)]) {
      const kind = element.closest('pre, code') ? 'code' : 'text';
      if (size > smallest[kind] - 0.05) continue;
      const picture = element.closest('svg');
      complain(kind, picture ?? block, -size, `${kind} smaller than ${smallest[kind]} px:`
        + ` ${words(says)}${picture ? ` in the picture ${name(picture)}` : ''}`,
      `${size.toFixed(1)} px`);
    }

    for (const pre of slide.querySelectorAll('pre')) {
      const [broken, line] = brokenLine(pre);
      if (broken) complain('broken', pre, broken, `a line of code is broken: ${words(line)}`);
    }

    for (const { element, box, says, isText } of things) {
      for (const [side, pixels] of beyond(box, room)) {
        complain('out', side, pixels, `${says} sticks out of the slide at the ${side}`,
          px(pixels));
      }
      const frame = frameOf(element, box, isText);
      if (!frame) continue;
      const { around: outer, scrolls, side, pixels } = frame;
      complain('cut', outer, pixels, `${says} ${scrolls ? 'has to be scrolled' : 'is cut off'}`
        + ` in its <${outer.tagName.toLowerCase()}> at the ${side}`, px(pixels));
    }
    for (const { boxes, says } of around) {
      for (const [side, pixels] of boxes.flatMap((box) => beyond(box, screen))) {
        complain('unseen', says, pixels, `${words(says)} is out of sight at the ${side}`,
          px(pixels));
      }
    }

    for (const [what, place] of furnitureOf(around)) {
      for (const { box, says } of things) {
        const pixels = overlap(box, place);
        if (pixels > 1) complain('under', what, pixels, `${says} lies under ${what}`);
      }
    }

    for (const [index, one] of things.entries()) {
      for (const other of things.slice(index + 1)) {
        const pixels = overlap(one.box, other.box);
        if (pixels > LINE_OVERLAP * Reveal.getScale() && collide(one, other)) {
          complain('on', '', pixels, `${one.says} and ${other.says} lie on one another`);
        }
      }
    }
    if (!things.length && !slide.querySelector('.fragment:not(.visible)')) {
      complain('empty', '', 0, 'nothing of it can be seen');
    }
    return Object.values(kinds).flatMap((worst) => [...worst.values()])
      .map(({ sentence, detail }) => [sentence, detail]);
  }

  // Words that are not about what is in a picture: nbconvert's own, the name of a file, or the
  // name for pictures of its kind.
  const PLACEHOLDER = /no description has been provided/i;
  const FILE = /\.(svg|png|jpe?g|gif|webp|avif|bmp|pdf)\b/i;
  const NOTHING = /^(an? )?(image|picture|photo|figure|graphic|diagram|drawing)?\P{L}*$/iu;
  const PATH = /^\S*[\\/]\S*$/;

  const nameOf = (picture) => {
    const by = picture.getAttribute('aria-labelledby');
    const title = picture.querySelector(':scope > title');
    return [
      by?.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' '),
      picture.getAttribute('aria-label'), picture.getAttribute('alt'), title?.textContent,
    ].find((text) => text?.trim())?.trim() ?? '';
  };

  const wordsFor = (picture) => {
    const output = picture.closest('.jp-OutputArea-output') !== null;
    const where = output ? 'a picture among the outputs' : 'a picture';
    const decorative = picture.getAttribute('alt') === ''
      || picture.closest('[aria-hidden="true"], [role="presentation"], [role="none"]');
    if (decorative) return output ? `${where} is declared a decoration` : null;
    const said = nameOf(picture);
    if (picture.tagName === 'svg' && picture.getAttribute('role') !== 'img') {
      return `${where}, an <svg>, is neither role="img" nor aria-hidden`;
    }
    if (!said) return `${where} has no words for those who cannot see it`;
    if (PLACEHOLDER.test(said)) return `${where} has nbconvert's words and none of its own`;
    if (FILE.test(said) || PATH.test(said)) return `${where} has a file name for its words: ${words(said)}`;
    if (NOTHING.test(said)) return `${where} has words that say nothing: ${words(said)}`;
    return null;
  };

  // What does not depend on the size of the screen: the words for pictures, and the notes.
  function content() {
    const slide = Reveal.getCurrentSlide();
    const complaints = [];
    for (const frame of slide.querySelectorAll('iframe, object, embed, video, canvas')) {
      complaints.push(`what is in <${frame.localName}> cannot be looked at`);
    }
    const pictures = 'img, svg, [role=img], input[type=image]';
    for (const picture of slide.querySelectorAll(pictures)) {
      if (picture.closest('aside') || picture.parentElement.closest('svg, button')) continue;
      const complaint = wordsFor(picture);
      if (complaint) complaints.push(complaint);
    }
    const notes = [...slide.querySelectorAll('aside.notes')];
    const own = notes.filter((note) => !note.closest('.fragment'));
    if (own.length < notes.length) {
      complaints.push('a note is inside a fragment, and not there before it');
    }
    if (!notes.length) complaints.push('no notes');
    else if (own.length && !own.some((note) => note.textContent.trim())) {
      complaints.push('its notes are empty');
    }
    if (notes.some((note) => note.checkVisibility())) {
      complaints.push('the notes are shown to the audience');
    }
    return complaints.map((complaint) => [complaint, '']);
  }

  // Whether a slide can be read as a part of a page: by scrolling down, and to the right in code
  // and films alone. `smallest` is the least size of letters, in pixels of the screen.
  function readingOf(slide, smallest) {
    const worst = new Map();
    const complain = (about, sentence, pixels = 0, detail = '') => {
      if (!(worst.get(about)?.pixels >= pixels)) worst.set(about, { sentence, pixels, detail });
    };
    const screen = { left: 0, top: -Infinity, right: innerWidth, bottom: Infinity };
    const scrolls = (element) => {
      for (let each = element.closest('pre, svg'); each && each !== slide;
        each = each.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(each).overflowX)) return true;
      }
      return false;
    };
    const texts = textsIn(slide);
    for (const { element, block, boxes, says, size } of texts) {
      if (size < smallest - 0.05) {
        complain(element.closest('svg') ?? block,
          `letters smaller than ${smallest} px: ${words(says)}`, -size, `${size.toFixed(1)} px`);
      }
      if (scrolls(element)) continue;
      for (const [side, pixels] of boxes.flatMap((box) => beyond(box, screen))) {
        complain(side, `${words(says)} is off the screen at the ${side}`, pixels, px(pixels));
      }
    }
    for (const element of boxesIn(slide)) {
      if (scrolls(element)) continue;
      for (const [side, pixels] of beyond(boxOf(element), screen)) {
        complain(side, `${name(element)} is off the screen at the ${side}`, pixels, px(pixels));
      }
    }
    for (const pre of slide.querySelectorAll('pre')) {
      const [broken, line] = brokenLine(pre);
      if (broken) complain('broken', `a line of code is broken: ${words(line)}`);
    }
    for (const element of slide.querySelectorAll('a, button')) {
      if (getComputedStyle(element).pointerEvents === 'none') {
        complain('dead', `${name(element)} cannot be pressed`);
      }
    }
    if (!texts.length) complain('empty', 'nothing of it can be seen');
    if ([...slide.querySelectorAll('aside.notes')].some((note) => note.checkVisibility())) {
      complain('notes', 'the notes are shown');
    }
    return [...worst.values()].map(({ sentence, detail }) => [sentence, detail]);
  }

  // The complaints about all slides of a page to read, each with the number of its slide, from 0.
  const reading = (smallest) =>
    [...document.querySelectorAll('.slides section:not(:has(> section))')].flatMap(
      (slide, number) => readingOf(slide, smallest).map((complaint) => [number, ...complaint]));

  return { layout, content, reading };
})()
