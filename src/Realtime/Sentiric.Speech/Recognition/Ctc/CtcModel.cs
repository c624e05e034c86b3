using Sentiric.Speech.Native;

namespace Sentiric.Speech;

/// <summary>
/// A streaming CTC network: samples and a flat state in, letter log probabilities and the next state out. Which port is which is read from
/// their shapes: the probabilities are the only port with three dimensions, the state is the other one whose width is fixed.
/// </summary>
internal sealed class CtcModel : IDisposable
{
    private const int MaxState = 1 << 20;
    private readonly OnnxSession session;
    private readonly int samplesInput;
    private readonly int probabilitiesOutput;

    public CtcModel(OnnxRuntime runtime, string path, CtcModelCard card)
    {
        Card = card;
        Alphabet = new CtcAlphabet(card.Alphabet);
        session = new OnnxSession(runtime, path);
        try
        {
            samplesInput = Position(session.Inputs, port => port.Shape is [_, -1]);
            probabilitiesOutput = Position(session.Outputs, port => port.Shape.Count == 3);
            StateSize = session.Inputs.Count == 2 && session.Outputs.Count == 2 ? (int)session.Inputs[1 - samplesInput].Shape[^1] : 0;
            Probe(path);
        }
        catch (Exception mismatch) when (mismatch is OnnxRuntimeException or InvalidOperationException)
        {
            session.Dispose();
            throw new SpeechEngineException(
                SpeechFault.ModelMismatch,
                $"{path} is not a streaming CTC model with {Alphabet.Count} letters: {mismatch.Message}",
                "Use the model that belongs to this card, or the card that belongs to this model.",
                mismatch);
        }
    }

    public CtcModelCard Card { get; }

    public CtcAlphabet Alphabet { get; }

    public int StateSize { get; }

    /// <summary>Numbers per output frame: the letters and the blank.</summary>
    public int FrameWidth => Alphabet.Count + 1;

    public TimeSpan FrameLength => TimeSpan.FromSeconds((double)Card.FrameSamples / Card.SampleRate);

    public CtcStream Open(int framesPerRun) => new(session, this, samplesInput, probabilitiesOutput, framesPerRun);

    public void Dispose() => session.Dispose();

    private static int Position(IReadOnlyList<OnnxPort> ports, Func<OnnxPort, bool> fits)
    {
        var found = Enumerable.Range(0, ports.Count).Where(i => fits(ports[i])).ToArray();
        return found.Length == 1 ? found[0] : throw new InvalidOperationException("its inputs and outputs have other shapes");
    }

    /// <summary>One run on silence: a model of another width fails here and not during a call.</summary>
    private void Probe(string path)
    {
        if (StateSize is < 1 or > MaxState)
        {
            throw new InvalidOperationException($"the state of {Path.GetFileName(path)} has no fixed size");
        }

        using var stream = Open(framesPerRun: 1);
        stream.Run();
    }
}

/// <summary>The tensors of one listener. One thread at a time.</summary>
internal sealed class CtcStream : IDisposable
{
    private readonly OnnxSession session;
    private readonly OnnxTensor<float> samples;
    private readonly OnnxTensor<float> state;
    private readonly OnnxTensor<float> probabilities;
    private readonly OnnxTensor<float> nextState;
    private readonly OnnxTensor[] inputs;
    private readonly OnnxTensor[] outputs;

    public CtcStream(OnnxSession session, CtcModel model, int samplesInput, int probabilitiesOutput, int framesPerRun)
    {
        this.session = session;
        samples = session.NewTensor<float>(1, framesPerRun * model.Card.FrameSamples);
        state = session.NewTensor<float>(1, model.StateSize);
        probabilities = session.NewTensor<float>(1, framesPerRun, model.FrameWidth);
        nextState = session.NewTensor<float>(1, model.StateSize);
        inputs = samplesInput == 0 ? [samples, state] : [state, samples];
        outputs = probabilitiesOutput == 0 ? [probabilities, nextState] : [nextState, probabilities];
    }

    /// <summary>To be filled with samples in -1..1 before <see cref="Run"/>.</summary>
    public Span<float> Samples => samples.Data;

    /// <summary>Log probabilities, frame after frame; valid until the next run.</summary>
    public ReadOnlySpan<float> Run()
    {
        session.Run(inputs, outputs);
        nextState.Data.CopyTo(state.Data);
        return probabilities.Data;
    }

    public void Reset() => state.Data.Clear();

    public void Dispose()
    {
        samples.Dispose();
        state.Dispose();
        probabilities.Dispose();
        nextState.Dispose();
    }
}
