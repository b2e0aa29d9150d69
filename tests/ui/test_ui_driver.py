"""What comes from the terminal, decoded in pieces as they come: stray bytes, and escapes in what is pasted."""

from __future__ import annotations

import itertools

import pytest

from bptui.tui.driver import Decoder

CASES = [
    (b"abc", "abc"),
    (b"\x1b[A\x1b", "\x1b[A\x1b"),
    (b"a\xff\xfeb\xc3\x28", "a��b�("),
    (b"n\x1b[200~x\x1b[31my\x1b[201~\x1b[A", "n\x1b[200~x␛[31my\x1b[201~\x1b[A"),
    (b"\x1b[200~\x1b[200~q\x1b[201~q", "\x1b[200~␛[200~q\x1b[201~q"),
    (b"\x1b[200~\xc3\xa9\x1b\x1b[201~\xc3\xa9", "\x1b[200~é␛\x1b[201~é"),
    (b"\x1b[200~\x1b[20\x1b[201~\x1b[200~\x1bb\x1b[201~", "\x1b[200~␛[20\x1b[201~\x1b[200~␛b\x1b[201~"),
]


@pytest.mark.parametrize(("sent", "text"), CASES)
def test_however_it_is_cut(sent, text):
    for cuts in itertools.combinations_with_replacement(range(len(sent) + 1), 2):
        decoder = Decoder()
        # An empty piece is no piece: reading nothing means that the terminal has been closed.
        pieces = [sent[a:b] for a, b in itertools.pairwise([0, *cuts, len(sent)]) if a < b]
        assert "".join(map(decoder.decode, pieces)) == text, pieces


def test_a_key_is_not_held_back():
    """Escape alone is a key; what may begin a paste goes on at once."""
    decoder = Decoder()
    assert [decoder.decode(piece) for piece in (b"\x1b", b"[20", b"0~\x1b", b"[201~", b"\x1b")] == ["\x1b", "[20", "0~", "\x1b[201~", "\x1b"]  # fmt: skip
