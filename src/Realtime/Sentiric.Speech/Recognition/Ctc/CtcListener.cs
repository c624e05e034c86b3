using System.Runtime.InteropServices;

namespace Sentiric.Speech;

/// <summary>
/// Hears one speaker: samples to frames to text. All computing of a session is here, none of its waiting; one thread at a time.
/// </summary>
internal sealed class CtcListener : IDisposable
{
    /// <summary>Bound of one utterance. What is said after it is not scored any more; the text keeps growing through the beam.</summary>
    public static readonly TimeSpan LongestScored = TimeSpan.FromSeconds(60);

    private const int FramesPerRun = 4; // 120 ms
    private static readonly TimeSpan KeptBefore = TimeSpan.FromSeconds(1);
    private readonly CtcModel model;
    private readonly PhraseSet phrases;
    private readonly RecognitionOptions options;
    private readonly CtcStream stream;
    private readonly PrefixBeam beam;
    private readonly SpeechResampler? resampler;
    private readonly short[] recent;
    private readonly List<float> frames = [];
    private readonly GreedyCertainty certainty = new();
    private long heard;
    private long utteranceStart;
    private int chunkFilled;
    private (int, int) publishedMark;
    private string publishedText = "";

    public CtcListener(CtcModel model, PhraseSet phrases, BeamWeights weights, RecognitionOptions options)
    {
        this.model = model;
        this.phrases = phrases;
        this.options = options;
        stream = model.Open(FramesPerRun);
        beam = new PrefixBeam(phrases.Language, weights);
        publishedMark = beam.BestMark;
        recent = new short[(int)(KeptBefore.TotalSeconds * model.Card.SampleRate)];
        resampler = options.SampleRate == model.Card.SampleRate ? null : new SpeechResampler(options.SampleRate, model.Card.SampleRate);
    }

    /// <summary>Hears samples at the session's rate; returns the new partial when the text changed.</summary>
    public RecognitionResult? Hear(ReadOnlySpan<short> pcm)
    {
        if (resampler is null)
        {
            HearNative(pcm);
        }
        else
        {
            var converted = new short[resampler.MaxOutput(pcm.Length)];
            HearNative(converted.AsSpan(0, resampler.Process(pcm, converted)));
        }

        return NewPartial();
    }

    /// <summary>Starts the utterance afresh with the last <paramref name="preRoll"/> of what was heard.</summary>
    public void Begin(TimeSpan preRoll)
    {
        int keep = (int)Math.Clamp(preRoll.TotalSeconds * model.Card.SampleRate, 0, Math.Min(heard - utteranceStart, recent.Length));
        var kept = new short[keep];
        for (int i = 0; i < keep; i++)
        {
            kept[i] = recent[(heard - keep + i) % recent.Length];
        }

        heard -= keep;
        StartUtterance();
        HearNative(kept);
    }

    /// <summary>Ends the utterance: silence pushes the last letters out of the network, then the readings are weighed.</summary>
    public RecognitionResult End()
    {
        FillWithSilence();
        stream.Samples.Clear();
        Infer();
        var result = options.Grammar == GrammarMode.Closed ? Closed() : Free();
        StartUtterance();
        return result;
    }

    public void Dispose() => stream.Dispose();

    private int Width => model.FrameWidth;

    private void HearNative(ReadOnlySpan<short> pcm)
    {
        foreach (short sample in pcm)
        {
            recent[heard++ % recent.Length] = sample;
            stream.Samples[chunkFilled++] = sample / 32768f;
            if (chunkFilled == stream.Samples.Length)
            {
                Infer();
            }
        }
    }

    private void FillWithSilence()
    {
        if (chunkFilled > 0)
        {
            stream.Samples[chunkFilled..].Clear();
            Infer();
        }
    }

    private void Infer()
    {
        chunkFilled = 0;
        bool scored = frames.Count / Width < LongestScored / model.FrameLength;
        for (var output = stream.Run(); output.Length >= Width; output = output[Width..])
        {
            var frame = output[..Width];
            beam.Step(frame);
            certainty.Add(frame);
            if (scored)
            {
                frames.AddRange(frame);
            }
        }
    }

    private void StartUtterance()
    {
        utteranceStart = heard;
        chunkFilled = 0;
        frames.Clear();
        certainty.Reset();
        stream.Reset();
        beam.Reset();
        publishedMark = beam.BestMark;
        publishedText = "";
    }

    private RecognitionResult? NewPartial()
    {
        if (beam.BestMark == publishedMark)
        {
            return null;
        }

        publishedMark = beam.BestMark;
        string text = model.Alphabet.Decode(beam.BestSymbols());
        if (text == publishedText)
        {
            return null;
        }

        publishedText = text;
        float confidence = text.Length == 0 ? 0 : certainty.Value;
        return new RecognitionResult(RecognitionKind.Partial, text, confidence, TimeAt(0), TimeOf(heard), options.Language, []);
    }

    private RecognitionResult Free()
    {
        var wanted = new List<(Reading Reading, string Text)>();
        foreach (var reading in beam.Readings())
        {
            string text = model.Alphabet.Decode(reading.Symbols);
            bool isNew = wanted.Count == 0 || (text.Length > 0 && !wanted.Any(known => known.Text == text));
            if (isNew && wanted.Count <= options.MaxAlternatives)
            {
                wanted.Add((reading, text));
            }
        }

        var others = wanted.Skip(1).Select(other => new RecognitionAlternative(other.Text, Fit(other.Text)));
        return Final(wanted[0].Text, Fit(wanted[0].Text), wanted[0].Reading, others);
    }

    /// <summary>Every phrase of the list against the whole utterance; a quick bound first, the exact score for the few that are left.</summary>
    private RecognitionResult Closed()
    {
        const int Exact = 12;

        // below this the sound is nothing in the list, and naming the least unlikely phrase would only mislead
        const float LeastClosed = 0.02f;
        var heardReading = beam.Readings().First();
        if (model.Alphabet.Decode(heardReading.Symbols).Length == 0 || phrases.Phrases.Count == 0)
        {
            return Final("", 0, heardReading, []);
        }

        var sound = CollectionsMarshal.AsSpan(frames);
        var quick = new (int Phrase, double Score)[phrases.Phrases.Count];
        for (int i = 0; i < quick.Length; i++)
        {
            quick[i] = (i, CtcScore.BestPath(sound, Width, phrases.Symbols[i]));
        }

        Array.Sort(quick, (a, b) => b.Score.CompareTo(a.Score));
        var exact = quick.Take(Exact).Select(entry => (entry.Phrase, Score: CtcScore.Forward(
            CollectionsMarshal.AsSpan(frames), Width, phrases.Symbols[entry.Phrase]))).ToList();
        exact.Sort((a, b) => b.Score.CompareTo(a.Score));
        double all = exact.Aggregate(double.NegativeInfinity, (sum, entry) => PrefixBeam.LogAdd(sum, entry.Score));
        var weighed = exact.ConvertAll(entry => new RecognitionAlternative(
            phrases.Phrases[entry.Phrase], Share(entry.Score, all) * Fit(entry.Score, phrases.Symbols[entry.Phrase].Length)));
        return weighed[0].Confidence >= LeastClosed
            ? Final(weighed[0].Text, weighed[0].Confidence, heardReading, weighed.Skip(1))
            : Final("", 0, heardReading, []);
    }

    private static float Share(double score, double all) => double.IsNegativeInfinity(score) ? 0 : (float)Math.Exp(score - all);

    private RecognitionResult Final(string text, float confidence, Reading reading, IEnumerable<RecognitionAlternative> others) => new(
        RecognitionKind.Final,
        text,
        text.Length == 0 ? 0 : confidence,
        TimeAt(reading.FirstFrame),
        text.Length == 0 ? TimeAt(reading.FirstFrame) : TimeAt(reading.LastFrame + 1),
        options.Language,
        [.. others.Take(options.MaxAlternatives)]);

    private float Fit(string text)
    {
        int[] symbols = model.Alphabet.Encode(text);
        return Fit(CtcScore.Forward(CollectionsMarshal.AsSpan(frames), Width, symbols), symbols.Length) * Plausibility(symbols);
    }

    /// <summary>Lowers what the language model finds odd: letters that nobody taught it mostly mean words that were not understood.</summary>
    private float Plausibility(int[] symbols)
    {
        const double UsualPerLetter = -1.0;
        const double Weight = 0.4;
        return (float)Math.Exp(Weight * Math.Min(0, phrases.Language.PerLetter(symbols) - UsualPerLetter));
    }

    /// <summary>
    /// How close the text comes to the best that the network could have written, per letter: 1 when it is that, towards 0 when the
    /// language model had to bend the sound to get it; times how sure the network was of its letters at all.
    /// </summary>
    private float Fit(double forward, int letters)
    {
        double unconstrained = CtcScore.Unconstrained(CollectionsMarshal.AsSpan(frames), Width);
        double perLetter = Math.Min(0, forward - unconstrained) / Math.Max(1, letters);
        return double.IsNegativeInfinity(forward) ? 0 : (float)Math.Clamp(Math.Exp(perLetter) * certainty.Value, 0, 1);
    }

    private TimeSpan TimeAt(int frame) => TimeOf(utteranceStart) + (frame * model.FrameLength);

    private TimeSpan TimeOf(long sample) => TimeSpan.FromSeconds((double)sample / model.Card.SampleRate);
}

/// <summary>The mean probability of the letters at their peaks: near 1 for clear speech, low for noise that happens to resemble letters.</summary>
internal sealed class GreedyCertainty
{
    private double sum;
    private int letters;
    private int running;
    private float peak;

    public float Value => letters == 0 && running == 0 ? 0 : (float)((sum + (running == 0 ? 0 : Math.Exp(peak))) / (letters + (running == 0 ? 0 : 1)));

    public void Add(ReadOnlySpan<float> frame)
    {
        int best = 0;
        for (int i = 1; i < frame.Length; i++)
        {
            best = frame[i] > frame[best] ? i : best;
        }

        if (best != running)
        {
            Close();
            running = best;
            peak = frame[best];
        }

        peak = Math.Max(peak, frame[best]);
    }

    public void Reset()
    {
        sum = 0;
        letters = 0;
        running = 0;
    }

    private void Close()
    {
        if (running != 0)
        {
            sum += Math.Exp(peak);
            letters++;
        }
    }
}
