"""python3 -m unittest: what the training relies on, checked in seconds without any audio."""
import random
import unittest

import numpy as np
import torch

import grammar
import phrases
from augment import telephone
from evaluate import edit_distance, greedy
from export_model import MAX_STREAM_DIFFERENCE, stream_difference
from gru import GruLayer
from make_speech import training_text
from model import FRAME_SAMPLES, Recogniser
from turkish import ALPHABET, normalise, number, suffix


class TextTests(unittest.TestCase):
    def test_suffixes_follow_vowel_harmony(self):
        self.assertEqual(suffix("ev", "lAr", "(I)m", "DA"), "evlerimde")
        self.assertEqual(suffix("kitap", "(y)I", soften=True), "kitabı")
        self.assertEqual(suffix("araba", "(y)A"), "arabaya")
        self.assertEqual(suffix("ağaç", "DAn", soften=True), "ağaçtan")
        self.assertEqual(suffix("renk", "(s)I", soften=True), "rengi")

    def test_numbers_are_spoken(self):
        spoken = {0: "sıfır", 10: "on", 100: "yüz", 1000: "bin", 1999: "bin dokuz yüz doksan dokuz", 20305: "yirmi bin üç yüz beş"}
        self.assertEqual({n: number(n) for n in spoken}, spoken)

    def test_capital_i_keeps_its_dot_or_its_lack(self):
        self.assertEqual(normalise("IŞIK, İzmir'de!"), "ışık izmirde")

    def test_every_sentence_is_written_in_the_alphabet(self):
        dice = random.Random(1)
        for _ in range(2000):
            self.assertLessEqual(set(grammar.sentence(dice)), set(ALPHABET))

    def test_a_held_out_form_is_never_trained(self):
        fixed = {form for form in phrases.HELD_OUT_FORMS if "{" not in form and len(form.split()) > 2}
        dice = random.Random(2)
        self.assertFalse(fixed & {training_text(dice) for _ in range(5000)})


class ModelTests(unittest.TestCase):
    def test_the_quick_gru_has_torchs_outputs_and_gradients(self):
        torch.manual_seed(0)
        layer = GruLayer(16)
        weights = torch.randn(3, 9, 16)

        def gradients(run):
            inputs, hidden = torch.randn(3, 9, 16, generator=torch.manual_seed(1), requires_grad=True), torch.full((3, 16), 0.1, requires_grad=True)
            outputs = run(inputs, hidden)
            return [outputs, *torch.autograd.grad((outputs * weights).sum(), [inputs, hidden, *layer.cell.parameters()])]

        for quick, torchs in zip(gradients(lambda x, h: layer(x, h)[0]), gradients(lambda x, h: layer.cell(x, h[None])[0])):
            torch.testing.assert_close(quick, torchs, rtol=1e-4, atol=1e-5)

    def test_streaming_equals_the_whole_utterance(self):
        torch.manual_seed(0)
        with torch.no_grad():
            self.assertLess(stream_difference(Recogniser().eval()), MAX_STREAM_DIFFERENCE)

    def test_a_frame_of_30_ms_gives_one_output(self):
        with torch.no_grad():
            self.assertEqual(tuple(Recogniser()(torch.zeros(2, 10 * FRAME_SAMPLES)).shape), (2, 10, len(ALPHABET) + 1))


class ListeningTests(unittest.TestCase):
    def test_repeats_and_blanks_are_removed(self):
        outputs = [1, 1, 0, 1, 2, 2, 0, 0]
        self.assertEqual(greedy(torch.eye(31)[outputs][None]), ["aab"])

    def test_edit_distance_counts_changes(self):
        self.assertEqual([edit_distance("abc", "abc"), edit_distance("abc", "ac"), edit_distance("", "ab"), edit_distance("abc", "xbcd")], [0, 1, 2, 2])

    def test_the_telephone_keeps_samples_in_range(self):
        noise = np.random.default_rng(0)
        speech = (noise.standard_normal(8000) * 8000).clip(-32768, 32767).astype(np.int16)
        for level in (0.0, 1.0):
            for _ in range(20):
                self.assertLessEqual(np.abs(telephone(speech, noise, level, [("", speech)])).max(), 1.0)


if __name__ == "__main__":
    unittest.main()
