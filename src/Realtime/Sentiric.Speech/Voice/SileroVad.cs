using Sentiric.Speech.Native;

namespace Sentiric.Speech;

/// <summary>Makes Silero detectors from one loaded model (silero_vad.onnx, version 5 or 6). Dispose it after its detectors.</summary>
public sealed class SileroVadFactory : IVoiceActivityDetectorFactory, IDisposable
{
    private readonly OnnxSession session;

    /// <summary>Throws <see cref="SpeechEngineException"/> when the library or the model is missing, broken, or another model.</summary>
    public SileroVadFactory(OnnxRuntime runtime, string modelPath)
    {
        session = new OnnxSession(runtime, modelPath);
        if (!session.Inputs.Select(port => port.Name).SequenceEqual(["input", "state", "sr"]) || session.Outputs.Count != 2)
        {
            session.Dispose();
            throw new SpeechEngineException(
                SpeechFault.ModelMismatch, $"{modelPath} is not a Silero voice activity model.", "Use silero_vad.onnx of version 5 or 6.");
        }
    }

    public string Engine => "silero";

    public IVoiceActivityDetector Create(VadOptions options) => new SileroVad(session, options);

    public void Dispose() => session.Dispose();
}

/// <summary>Silero at 8 kHz: windows of 256 new samples (32 ms) after 32 old ones, a recurrent state of 2 x 128.</summary>
internal sealed class SileroVad : IVoiceActivityDetector
{
    private const int SampleRate = 8000;
    private const int Window = 256;
    private const int Context = 32;
    private static readonly TimeSpan WindowLength = TimeSpan.FromSeconds((double)Window / SampleRate);
    private readonly OnnxSession session;
    private readonly VadOptions options;
    private readonly OnnxTensor<float> samples;
    private readonly OnnxTensor<float> state;
    private readonly OnnxTensor<long> rate;
    private readonly OnnxTensor<float> probability;
    private readonly OnnxTensor<float> nextState;
    private SpeechGate gate;
    private int filled;
    private float last;

    public SileroVad(OnnxSession session, VadOptions options)
    {
        this.session = session;
        this.options = options;
        samples = session.NewTensor<float>(1, Context + Window);
        state = session.NewTensor<float>(2, 1, 128);
        rate = session.NewTensor<long>();
        rate.Data[0] = SampleRate;
        probability = session.NewTensor<float>(1, 1);
        nextState = session.NewTensor<float>(2, 1, 128);
        gate = new SpeechGate(options);
    }

    public VadFrame Process(ReadOnlySpan<short> frame)
    {
        bool started = false;
        bool ended = false;
        foreach (short sample in frame)
        {
            samples.Data[Context + filled++] = sample / 32768f;
            if (filled == Window)
            {
                last = Infer();
                var window = gate.Next(last, WindowLength);
                started |= window.SpeechStarted;
                ended |= window.SpeechEnded;
            }
        }

        return new VadFrame(last, gate.IsSpeech, started, ended);
    }

    public void Reset()
    {
        samples.Data.Clear();
        state.Data.Clear();
        gate = new SpeechGate(options);
        filled = 0;
        last = 0;
    }

    public void Dispose()
    {
        samples.Dispose();
        state.Dispose();
        rate.Dispose();
        probability.Dispose();
        nextState.Dispose();
    }

    private float Infer()
    {
        session.Run([samples, state, rate], [probability, nextState]);
        nextState.Data.CopyTo(state.Data);
        samples.Data[Window..].CopyTo(samples.Data);
        filled = 0;
        return probability.Data[0];
    }
}
