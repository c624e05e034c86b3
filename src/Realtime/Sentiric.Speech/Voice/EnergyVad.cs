namespace Sentiric.Speech;

/// <summary>The detector that needs no model: level over an adaptive noise floor. Mistakes loud noise for speech.</summary>
public sealed class EnergyVadFactory : IVoiceActivityDetectorFactory
{
    public string Engine => "energy";

    public IVoiceActivityDetector Create(VadOptions options) => new EnergyVad(options);
}

/// <summary>
/// Per 20 ms: the level in dBFS against the noise floor. The floor falls quickly to a lower level and creeps up slowly, so that
/// speech hardly lifts it and a fan that starts is learned within seconds.
/// </summary>
internal sealed class EnergyVad(VadOptions options) : IVoiceActivityDetector
{
    private const int FrameSamples = 160;
    private const double QuietestFloorDb = -65;
    private const double LoudestFloorDb = -25;
    private const double SpeechOverFloorDb = 12;
    private const double SlopeDb = 3;
    private const double FloorFallPerFrame = 0.3;
    private const double FloorRiseDbPerFrame = 0.06;
    private static readonly TimeSpan FrameLength = TimeSpan.FromMilliseconds(20);
    private SpeechGate gate = new(options);
    private double floorDb = QuietestFloorDb + 10;
    private double energy;
    private int counted;
    private float last;

    public VadFrame Process(ReadOnlySpan<short> frame)
    {
        bool started = false;
        bool ended = false;
        foreach (short sample in frame)
        {
            energy += (double)sample * sample;
            if (++counted == FrameSamples)
            {
                last = Judge();
                var judged = gate.Next(last, FrameLength);
                started |= judged.SpeechStarted;
                ended |= judged.SpeechEnded;
            }
        }

        return new VadFrame(last, gate.IsSpeech, started, ended);
    }

    public void Reset()
    {
        gate = new SpeechGate(options);
        floorDb = QuietestFloorDb + 10;
        energy = 0;
        counted = 0;
        last = 0;
    }

    public void Dispose()
    {
        // holds nothing outside the managed heap
    }

    private float Judge()
    {
        double levelDb = 10 * Math.Log10((energy / FrameSamples / (32768.0 * 32768.0)) + 1e-10);
        energy = 0;
        counted = 0;
        double over = levelDb - floorDb - SpeechOverFloorDb;
        FollowFloor(levelDb);
        return (float)(1 / (1 + Math.Exp(-over / SlopeDb)));
    }

    private void FollowFloor(double levelDb)
    {
        floorDb = levelDb < floorDb
            ? floorDb + ((levelDb - floorDb) * FloorFallPerFrame)
            : floorDb + Math.Min(FloorRiseDbPerFrame, levelDb - floorDb);
        floorDb = Math.Clamp(floorDb, QuietestFloorDb, LoudestFloorDb);
    }
}
