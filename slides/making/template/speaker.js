// The notes have the largest letters with which none of them is below the edge of the window.
const LARGEST = 26, SMALLEST = 14;  // pixels

const controls = document.querySelector('#speaker-controls');
const words = controls.querySelector('.speaker-controls-notes .value');

function fit() {
  let size = LARGEST;
  do words.style.fontSize = `${size}px`;
  while (controls.scrollHeight > controls.clientHeight && --size >= SMALLEST);
}
new MutationObserver(fit).observe(words, { childList: true });
new MutationObserver(fit).observe(document.body, { attributeFilter: ['data-speaker-layout'] });
addEventListener('resize', fit);

// This page has no address: loaded again, it is empty.
addEventListener('keydown', (press) => {
  const reloads = press.key === 'F5' || ((press.ctrlKey || press.metaKey) && press.key === 'r');
  if (!reloads) return;
  press.preventDefault();
  press.stopImmediatePropagation();
}, true);
