namespace Sentiric.Media;

/// <summary>
/// The payload types of an offer of ours: static ones as they are, dynamic ones (96 to 127) as they were agreed on before, else those that most
/// telephones use, else the next that is free.
/// </summary>
internal sealed class OfferedNumbers
{
    private const int First = 96, Last = 127;
    private const int UsualOpus = 111, UsualEvents = 101, UsualFastEvents = 110;

    private readonly NegotiatedAudio? agreed;
    private readonly HashSet<int> taken = [];

    public OfferedNumbers(NegotiatedAudio? agreed)
    {
        this.agreed = agreed;
        if (agreed is null) return;
        taken.Add(agreed.PayloadType);
        if (agreed.TelephoneEventPayloadType is { } events) taken.Add(events);
    }

    public int Of(AudioCodec codec) =>
        codec.StaticPayloadType() ?? (agreed?.Codec == codec ? agreed.PayloadType : Take(UsualOpus));

    public int OfEvents(int rate) => agreed?.TelephoneEventPayloadType is { } events && agreed.TelephoneEventRate == rate
        ? events
        : Take(rate == Tone.SampleRate ? UsualEvents : UsualFastEvents);

    private int Take(int usual) => Enumerable.Range(First, Last - First + 1).Prepend(usual).First(taken.Add);
}
