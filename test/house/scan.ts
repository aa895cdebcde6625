/** One source text, seen in two ways; both have the lines of the original. */
export interface Scanned {
  /** Comments are blank: for reading import specifiers. */
  withoutComments: string;
  /** Comments, and what stands in quotes, are blank: for finding code. */
  codeOnly: string;
}

/** After one of these a slash begins a regular expression, else it divides. */
const BEFORE_REGEX = /(?:^|[([{,;=:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield))\s*$/;

/**
 * Tells comments, strings, templates and regular expressions from code. It knows no grammar: a regular expression is told
 * from a division by what stands before it, which is enough for code that a formatter has been over.
 */
export function scan(source: string): Scanned {
  let withoutComments = '';
  let codeOnly = '';
  /** Depths of braces at which a `${` of an open template will end. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const take = (end: number, kind: 'code' | 'text' | 'comment') => {
    const piece = source.slice(at, end);
    const blank = piece.replace(/[^\n]/g, ' ');
    withoutComments += kind === 'comment' ? blank : piece;
    codeOnly += kind === 'code' ? piece : blank;
    at = end;
  };
  const takeTemplate = (from: number) => {
    let end = from;
    while (end < source.length && source[end] !== '`' && !source.startsWith('${', end)) {
      end += source[end] === '\\' ? 2 : 1;
    }
    if (source.startsWith('${', end)) {
      take(end, 'text');
      take(end + 2, 'code');
      templates.push(depth);
    } else take(end + 1, 'text');
  };
  while (at < source.length) {
    const char = source[at];
    const two = source.slice(at, at + 2);
    if (two === '//') take(endOfLine(source, at), 'comment');
    else if (two === '/*') take(endAfter(source, '*/', at + 2), 'comment');
    else if (char === "'" || char === '"') take(endOfQuoted(source, at, char), 'text');
    else if (char === '`') takeTemplate(at + 1);
    else if (char === '}' && templates.at(-1) === depth) {
      templates.pop();
      take(at + 1, 'code');
      takeTemplate(at);
    } else if (char === '/' && BEFORE_REGEX.test(codeOnly.slice(-40))) take(endOfRegex(source, at), 'text');
    else {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      take(at + 1, 'code');
    }
  }
  return { withoutComments, codeOnly };
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

function endAfter(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end + mark.length;
}

/** A string ends at its quote, or at the end of the line: an apostrophe in the text of a page is no string. */
function endOfQuoted(source: string, from: number, quote: string): number {
  for (let at = from + 1; at < source.length && source[at] !== '\n'; at += source[at] === '\\' ? 2 : 1) {
    if (source[at] === quote) return at + 1;
  }
  return from + 1;
}

function endOfRegex(source: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < source.length && source[at] !== '\n'; at += source[at] === '\\' ? 2 : 1) {
    if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    else if (source[at] === '/' && !inClass) return at + 1;
  }
  return from + 1;
}
