import { expect } from 'chai';
import { toReadableJson, toReadableText } from '../../../src/oidc/request/readable-text.ts';

/** Names that are shown exactly as they are written, by script or language. */
const NAMES: Record<string, string> = {
  English: 'Example App',
  French: 'Crédit Ⅿutuel – Épargne',
  'Vietnamese, with combining marks': 'Ngân hàng Việt Nam'.normalize('NFD'),
  Greek: 'Τράπεζα Ελλάδος',
  Ukrainian: 'Банк «Їжак»',
  Arabic: 'بنك الأمل',
  'Arabic, with vowels': 'مُحَمَّدٌ',
  'Persian, with a zero width non-joiner': 'می\u200cخواهم کتاب\u200cها',
  'Persian, with a final joiner': 'ه\u200d',
  'Hebrew, with points and accents': 'בְּרֵאשִׁ֖ית',
  Syriac: 'ܫܠܡܐ',
  Hindi: 'भारतीय स्टेट बैंक',
  'Hindi, with a non-joiner': 'क्\u200cष',
  'Bengali, with a joiner before the virama': 'র\u200d্যাব',
  Tamil: 'தமிழ் வங்கி',
  'Malayalam, with a joiner at the end': 'അവന്\u200d',
  'Kannada, with a joiner': 'ರ\u200d್ಯಾಂಕ್',
  'Sinhala, with a joiner': 'ශ්\u200dරී ලංකා',
  Burmese: 'မြန်မာ့ညွှန့်',
  Khmer: 'ធនាគារ ជាតិ',
  Thai: 'ธนาคารกรุงไทย น้ำ',
  Tibetan: 'བོད་ཧཱུྃ',
  'Mongolian, with a vowel separator and a variant': 'ᠮᠣᠩᠭᠣᠯ\u180eᠠ\u180b',
  Georgian: 'ბანკი',
  Amharic: 'ኢትዮጵያ',
  Chinese: '中国银行',
  'Japanese, with a variant of a character': '葛\u{e0100}飾区',
  Korean: '한국은행',
  'Korean, in jamo': '한국'.normalize('NFD'),
  'emoji of a family': 'Home 👨‍👩‍👧‍👦',
  'emoji with skin colours': '👩🏻‍❤️‍💋‍👨🏼 Club',
  'emoji with a style': '❤️ ☎︎ 1️⃣',
  'a flag of a country': 'Visit 🇧🇷',
  'characters beyond the first plane': '𠮷野家 𝓐pp',
};

describe('a text for a page', () => {
  for (const [script, name] of Object.entries(NAMES)) {
    it(`stays as it is: ${script}`, () => {
      expect(toReadableText(name)).to.equal(name);
    });
  }

  const CLEANED: Record<string, readonly [string, string]> = {
    'directional overrides': ['Bank\u202e!moc', 'Bank!moc'],
    'directional isolates and marks': ['\u2067B\u200e\u200f\u061ca\u2069', 'Ba'],
    'zero width spaces': ['Ba\u200bn\u2060k\ufeff', 'Bank'],
    'soft hyphens': ['Ba\u00adnk', 'Bank'],
    'joiners between Latin letters': ['Ba\u200dn\u200ck', 'Bank'],
    'a joiner after a joiner': ['می\u200c\u200c\u200dخ', 'می\u200cخ'],
    'a non-joiner at the end': ['کتاب\u200c', 'کتاب'],
    'tag characters': ['Bank\u{e0065}\u{e0076}\u{e007f}', 'Bank'],
    'variation selectors behind letters': ['Ba\ufe0fnk\u{e0101}1\ufe0f', 'Bank1'],
    'Hangul fillers': ['\u115fBank\u3164\uffa0', 'Bank'],
    'characters of no meaning': ['B\ue000a\ufffcn\u{fffff}k\ud800', 'Bank'],
    'control characters': ['Ba\u0000n\u001bk\u0085', 'Bank'],
    'line breaks': ['Bank\r\n\u2028of\u2029 England', 'Bank of England'],
    'rows of spaces': ['Bank\u3000\u00a0 \u2003\t of', 'Bank of'],
    'blank Braille': ['\u2800Bank\u2800\u2800of', 'Bank of'],
    'marks without a letter': ['\u0338\u20dd Bank \u0336of', 'Bank of'],
  };
  for (const [what, [raw, shown]] of Object.entries(CLEANED)) {
    it(`loses ${what}`, () => {
      expect(toReadableText(raw)).to.equal(shown);
    });
  }

  const EMPTY = [
    '',
    '   ',
    '\u200b',
    '\u3164\u3164',
    '\u2800',
    '\u202e\u202c',
    '\u0301\u0338',
    '\u{e0041}\u{e007f}',
    '\u200d',
  ];
  for (const raw of EMPTY) {
    it(`becomes empty if nothing of it is visible: ${JSON.stringify(raw)}`, () => {
      expect(toReadableText(raw)).to.equal('');
    });
  }

  it('has at most four marks on a letter', () => {
    expect(toReadableText(`B${'\u0336\u033f'.repeat(500)}ank`)).to.equal('B\u0336\u033f\u0336\u033fank');
    const joined = `ب${'\u064e\u200d'.repeat(500)}`;
    expect([...toReadableText(joined)].filter((point) => point === '\u064e').length).to.be.at.most(4);
  });

  it('limits the length of one character', () => {
    for (const endless of ['क्'.repeat(1000), '\u1100'.repeat(1000), '👩‍'.repeat(1000), `က${'\u102b'.repeat(1000)}`]) {
      expect([...toReadableText(endless)].length).to.be.at.most(80 * 16);
    }
  });

  it('is cut between characters, with 80 of them at most', () => {
    for (const character of ['a', '한', '𠮷', '👨‍👩‍👧‍👦', 'क्षि', 'é'.normalize('NFD'), '🇧🇷']) {
      expect(toReadableText(character.repeat(80))).to.equal(character.repeat(80));
      expect(toReadableText(character.repeat(81))).to.equal(`${character.repeat(79)}…`);
    }
  });

  it('does not change when it is cleaned again', () => {
    for (const text of [...Object.values(NAMES), ...Object.values(CLEANED).map(([raw]) => raw)]) {
      expect(toReadableText(toReadableText(text))).to.equal(toReadableText(text));
    }
  });
});

describe('JSON for a page', () => {
  it('has escapes for characters that are invisible or change the order of text', () => {
    expect(toReadableJson({ to: '\u202eBank\u200b\u{e0041}' })).to.equal(
      '{\n  "to": "\\u202eBank\\u200b\\udb40\\udc41"\n}',
    );
  });
});
