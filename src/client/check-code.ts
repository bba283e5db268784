/**
 * The field for the six digits. The server reads them in any form, full-width or with spaces. The last digit sends the
 * form, so Continue is shown only if the user has to press it.
 */
import { find } from './page.ts';

const DIGIT = /\p{Nd}/gu;
const DIGITS = 6;
/** The digits are shown in groups of this many, here as on the phone. */
const GROUP = 3;

export class DigitField {
  readonly #form: HTMLFormElement;
  readonly #input: HTMLInputElement;
  /** The button Continue. Null if a deployment's own page does not mark it: there it is always visible. */
  readonly #continue: HTMLElement | null;
  /** The question whether another account may be signed out. Pressing Continue agrees. */
  readonly #agreement: HTMLFieldSetElement;
  /** True if the digits were not typed here, or if the last request had no answer or a server error. */
  #needsPress = false;

  /** @param onInput is called whenever the digits change */
  constructor(form: HTMLFormElement, agreement: HTMLFieldSetElement, onInput: () => void) {
    this.#form = form;
    this.#input = find(form, 'input');
    this.#continue = form.querySelector('[data-continue]');
    this.#agreement = agreement;
    const take = (): void => {
      onInput();
      this.#take();
    };
    this.#input.addEventListener('input', (event) => {
      // An input method composes full-width digits first, and the field must not change meanwhile.
      if (!(event instanceof InputEvent && event.isComposing)) take();
    });
    this.#input.addEventListener('compositionend', take);
    // An app that comes back with the digits opens the page anew, or changes the address of the waiting tab.
    addEventListener('hashchange', () => this.#fillIn());
    this.#fillIn();
    this.showContinue();
  }

  get value(): string {
    return this.#input.value;
  }

  get isComplete(): boolean {
    return digitsIn(this.value).length === DIGITS;
  }

  focus(): void {
    this.#input.focus();
  }

  /** Empties the field for another try. */
  clear(): void {
    this.#form.reset();
    this.#setNeedsPress(false);
    this.focus();
  }

  /** Shows Continue until the next try. */
  awaitPress(): void {
    this.#setNeedsPress(true);
  }

  /** Shows Continue if the form does not send itself. To be called when the agreement appears or vanishes. */
  showContinue(): void {
    if (this.#continue) this.#continue.hidden = !this.#needsPress && this.#agreement.disabled;
  }

  #setNeedsPress(needs: boolean): void {
    this.#needsPress = needs;
    this.showContinue();
  }

  #take(): void {
    this.#group();
    if (this.isComplete && this.#agreement.disabled) this.#form.requestSubmit();
  }

  /**
   * Fills in the digits with which an app on the same device comes back. They are in the fragment of the address, which
   * browsers never send. The user still presses Continue: a link alone must not sign this browser in.
   */
  #fillIn(): void {
    const [, digits] = /^#(\d{6})$/.exec(location.hash) ?? [];
    if (this.value !== '' || digits === undefined) return;
    this.#input.value = digits;
    this.#group();
    this.awaitPress();
  }

  /** Shows the digits as the phone does: `123 456`. Full-width digits become plain ones. */
  #group(): void {
    // Digits that are inserted before the end stay as they were typed, because a new value would move the caret.
    if (this.#input.selectionEnd !== this.value.length) return;
    const digits = digitsIn(this.value);
    const rest = digits.slice(GROUP).join('');
    const grouped = digits.slice(0, GROUP).join('') + (rest && ` ${rest}`);
    if (this.value !== grouped) this.#input.value = grouped;
  }
}

function digitsIn(typed: string): string[] {
  return typed.normalize('NFKC').match(DIGIT) ?? [];
}
