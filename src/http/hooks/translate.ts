/** The values for the `{name}` parts of a text. `count` also selects the plural form. */
export type Values = Readonly<Record<string, string | number>>;

/**
 * Returns the text for a key in the language of the page. An unknown key is a bug, except under `scope.` and `claim.`.
 */
export type Translate = (key: string, values?: Values) => string;
