/** Why a regex is refused; in words that stand behind the name of its field. */
export class RegexError extends Error {
  /** a matter of our limits, not of the regex's syntax */
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.name = 'RegexError';
    this.tooLarge = tooLarge;
  }
}
