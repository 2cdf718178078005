Reveal.initialize({
  plugins: [RevealNotes],
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  hash: true,
  slideNumber: 'c/t',
  transition: 'none',
  backgroundTransition: 'none',
}).then(() => {
  // As an "application", a screen reader would keep its own reading keys from the listener.
  document.querySelector('.reveal').removeAttribute('role');
});
