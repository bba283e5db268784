/** How many answers are kept where nobody says otherwise. */
const MOST = 1_000;
/** Of texts in characters: what is kept must not take much memory, whatever is sent. */
const LONGEST = 512;

/** Answers to questions that most browsers ask in the same words: a user agent, the languages that are accepted. */
export class Kept<Answer> {
  readonly #answers = new Map<string, Answer>();
  readonly #most: number;

  /** @param most how many are kept: the oldest goes */
  constructor(most: number = MOST) {
    this.#most = most;
  }

  /** @param find what is always the same for the same text */
  of(text: string, find: (text: string) => Answer): Answer {
    const known = this.#answers.get(text);
    if (known !== undefined) return known;
    const answer = find(text);
    if (text.length > LONGEST) return answer;
    // The oldest goes: a Map keeps the order.
    const [oldest] = this.#answers.size < this.#most ? [] : this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(text, answer);
    return answer;
  }
}
