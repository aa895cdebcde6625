interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
  height: number;
}

/** What of the DOM is used: the library's own types would put the browser's globals into all of the tests. */
interface PageElement {
  tagName: string;
  className: string;
  textContent: string | null;
  scrollWidth: number;
  parentElement: PageElement | null;
  childNodes: Iterable<{ nodeType: number; textContent: string | null }>;
  closest(selector: string): PageElement | null;
  matches(selector: string): boolean;
  contains(other: PageElement): boolean;
  checkVisibility(): boolean;
  getBoundingClientRect(): Box;
}

interface BrowserWindow {
  innerWidth: number;
  document: { documentElement: PageElement; querySelectorAll(selector: string): Iterable<PageElement> };
  getComputedStyle(element: PageElement): { fontSize: string };
}

/**
 * Runs in the browser: what is wrong with the page as it stands, one line each. Sizes in CSS pixels: no text is smaller
 * than `near`, and what is read from three metres not smaller than `far`.
 */
export function layoutProblems({ near, far }: { near: number; far: number }): string[] {
  const { document, getComputedStyle, innerWidth } = globalThis as unknown as BrowserWindow;
  const FAR =
    '[data-total] .number, [data-total] .unit, .sentence, h1, .tile h2, .tile .state, .tile .number, .tile .value > .unit';
  const problems: string[] = [];
  const name = (element: PageElement) =>
    `${element.tagName.toLowerCase()}.${element.className} "${element.textContent?.slice(0, 30)}"`;
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) problems.push(`the page is ${root.scrollWidth} wide in ${innerWidth}`);
  const shown = [...document.querySelectorAll('#app *')].filter(
    (element) => !element.closest('svg') && element.checkVisibility() && !element.closest('.unseen'),
  );
  const texts = shown.filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()),
  );
  for (const element of texts) {
    const box = element.getBoundingClientRect();
    const sizePx = Number.parseFloat(getComputedStyle(element).fontSize);
    if (sizePx < (element.matches(FAR) ? far : near) - 0.01) problems.push(`${name(element)} is ${sizePx} px`);
    if (box.left < -0.5 || box.right > innerWidth + 0.5) problems.push(`${name(element)} leaves the page`);
    const frame = element.parentElement?.closest('.tile, .panel, .sentence');
    const frameBox = frame?.getBoundingClientRect();
    if (frameBox && (box.right > frameBox.right + 0.5 || box.bottom > frameBox.bottom + 0.5)) {
      problems.push(`${name(element)} leaves its ${frame?.className}`);
    }
  }
  for (const [index, one] of texts.entries()) {
    for (const other of texts.slice(index + 1)) {
      if (one.contains(other) || other.contains(one)) continue;
      const a = one.getBoundingClientRect();
      const b = other.getBoundingClientRect();
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Line boxes of one column may touch by the leading; letters do not.
      if (width > 1 && height > Math.min(a.height, b.height) * 0.3)
        problems.push(`${name(one)} lies over ${name(other)}`);
    }
  }
  return problems;
}
