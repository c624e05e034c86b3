"""Turkish letters, numbers and suffixes: what the text generators need to write correct words.

The recogniser's alphabet is the order of the letters in ALPHABET; CTC's blank is output 0, so the
letter at index i is output i + 1.
"""
import re

ALPHABET = "abcçdefgğhıijklmnoöprsştuüvyz "

_FRONT, _ROUND, _VOWELS = "eiöü", "oöuü", "aeıioöuü"
_VOICELESS = "fstkçşhp"
_SOFTENED = {"p": "b", "ç": "c", "t": "d", "k": "ğ"}

_ONES = "sıfır bir iki üç dört beş altı yedi sekiz dokuz".split()
_TENS = ["", "on", "yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan"]


def normalise(text):
    """Lower case under Turkish rules, foreign letters respelled, everything outside ALPHABET a space."""
    text = text.replace("I", "ı").replace("İ", "i").lower().replace("i̇", "i")
    for old, new in (("â", "a"), ("î", "i"), ("û", "u"), ("q", "k"), ("w", "v"), ("x", "ks"), ("'", ""), ("’", "")):
        text = text.replace(old, new)
    return re.sub(" +", " ", re.sub(f"[^{ALPHABET}]", " ", text)).strip()


def number(n):
    """n in words, 0 <= n < 1,000,000."""
    if n < 10:
        return _ONES[n]
    if n < 100:
        return _join(_TENS[n // 10], n % 10)
    if n < 1000:
        return _join(("" if n < 200 else _ONES[n // 100] + " ") + "yüz", n % 100)
    return _join(("" if n < 2000 else number(n // 1000) + " ") + "bin", n % 1000)


def _join(head, rest):
    return f"{head} {number(rest)}" if rest else head


def digits(random, count):
    return " ".join(_ONES[random.randrange(10)] for _ in range(count))


def suffix(word, *templates, soften=False):
    """Append suffix templates with vowel harmony and consonant assimilation.

    A = a/e, I = ı/i/u/ü, D = d/t; a letter in brackets is a buffer: a bracketed consonant is written
    only after a vowel, a bracketed vowel only after a consonant. soften: the word's last consonant
    (p ç t k) is voiced before a vowel (kitap, kitabı).
    """
    for template in templates:
        text = _resolve_buffer(word, template)
        if soften and text and text[0] in "AI" + _VOWELS:
            word = word[:-2] + "ng" if word.endswith("nk") else word[:-1] + _SOFTENED.get(word[-1], word[-1])
        soften = False
        for letter in text:
            word += _harmonise(word, letter)
    return word


def _resolve_buffer(word, template):
    match = re.match(r"\((.)\)(.*)", template)
    if not match:
        return template
    buffer, rest = match.groups()
    buffer_is_vowel, after_vowel = buffer in "AI", word[-1] in _VOWELS
    return buffer + rest if buffer_is_vowel != after_vowel else rest


def _harmonise(word, letter):
    if letter == "D":
        return "t" if word[-1] in _VOICELESS else "d"
    if letter not in "AI":
        return letter
    last = next((v for v in reversed(word) if v in _VOWELS), "e")
    if letter == "A":
        return "e" if last in _FRONT else "a"
    return {(False, False): "ı", (True, False): "i", (False, True): "u", (True, True): "ü"}[(last in _FRONT, last in _ROUND)]
