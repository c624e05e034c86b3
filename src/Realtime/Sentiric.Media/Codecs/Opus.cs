namespace Sentiric.Media;

/// <summary>
/// Speaks Opus (RFC 6716) in mono: frames of 20 ms at 8 kHz go in, packets come out, whatever rate the listener decodes at.
/// Not thread-safe; allocates nothing after the start. Dispose frees the native state.
/// </summary>
public sealed class OpusEncoder : IDisposable
{
    /// <summary>No frame is longer (RFC 6716 3.2.1).</summary>
    public const int MaxFrameOctets = 1_275;

    // opus_defines.h. The application for voice would cut away the low end of it and turn the phases there: the encoder shall change as little as it can.
    private const int ForAudio = 2_049, SetBitrate = 4_002, SetVbr = 4_006, SetComplexity = 4_010, SetInbandFec = 4_012, SetPacketLoss = 4_014, SetSignal = 4_024;
    private const int SignalIsVoice = 3_001;

    // The library's default is 9; what is left out of narrow-band speech is not heard and costs a third more.
    private const int Complexity = 5;
    private const int ExpectedLossPercent = 10; // with 0 the encoder adds no redundancy

    private readonly OpusEncoderHandle handle;

    /// <param name="wanted">What the listener asks for.</param>
    /// <exception cref="DllNotFoundException">Not <see cref="OpusLibrary.IsPresent"/>.</exception>
    /// <exception cref="OutOfMemoryException">The library could not be given its memory.</exception>
    public OpusEncoder(OpusFormat wanted)
    {
        OpusLibrary.Require();
        handle = OpusLibrary.opus_encoder_create(Tone.SampleRate, 1, ForAudio, out var error);
        if (error != OpusLibrary.Ok) throw new OutOfMemoryException($"No Opus encoder: {OpusLibrary.Explain(error)}.");
        Use(wanted);
    }

    /// <summary>The listener asks for something else now; the sound goes on.</summary>
    public void Use(OpusFormat wanted)
    {
        Set(SetBitrate, wanted.Bitrate);
        Set(SetVbr, wanted.ConstantBitrate ? 0 : 1);
        Set(SetComplexity, Complexity);
        Set(SetSignal, SignalIsVoice);
        Set(SetInbandFec, wanted.InbandFec ? 1 : 0);
        Set(SetPacketLoss, wanted.InbandFec ? ExpectedLossPercent : 0);
    }

    /// <summary>Answers how many octets the frame became; never more than fit, since the encoder then takes fewer bits.</summary>
    /// <param name="pcm">160 samples; the library also takes 20, 40, 80, 320 and 480.</param>
    /// <exception cref="ArgumentException">Another number of samples, or no room.</exception>
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> payload)
    {
        if (pcm.IsEmpty || payload.IsEmpty) throw new ArgumentException("An Opus frame needs samples and room.");
        var octets = OpusLibrary.opus_encode(handle, in pcm[0], pcm.Length, ref payload[0], payload.Length);
        return octets >= 0 ? octets : throw new ArgumentException($"No Opus frame of {pcm.Length} samples: {OpusLibrary.Explain(octets)}.", nameof(pcm));
    }

    public void Dispose() => handle.Dispose();

    private void Set(int request, int value)
    {
        var error = OpusLibrary.opus_encoder_ctl(handle, request, value);
        if (error != OpusLibrary.Ok) throw new ArgumentException($"Opus takes no {value} for {request}: {OpusLibrary.Explain(error)}.", nameof(value));
    }
}

/// <summary>
/// Hears Opus in mono at 8 kHz, whatever the speaker encoded. What comes in is a stranger's: a packet that is none is told, never thrown.
/// Not thread-safe; allocates nothing after the start. Dispose frees the native state.
/// </summary>
public sealed class OpusDecoder : IDisposable
{
    /// <summary>120 ms: no packet is longer (RFC 6716 3.2.5).</summary>
    public const int MaxSamples = 960;

    /// <summary>2.5 ms: whatever is concealed is a multiple of it.</summary>
    public const int StepSamples = 20;

    private readonly OpusDecoderHandle handle;

    /// <exception cref="DllNotFoundException">Not <see cref="OpusLibrary.IsPresent"/>.</exception>
    /// <exception cref="OutOfMemoryException">The library could not be given its memory.</exception>
    public OpusDecoder()
    {
        OpusLibrary.Require();
        handle = OpusLibrary.opus_decoder_create(Tone.SampleRate, 1, out var error);
        if (error != OpusLibrary.Ok) throw new OutOfMemoryException($"No Opus decoder: {OpusLibrary.Explain(error)}.");
    }

    /// <summary>Answers how many samples the packet held; absent when it is no packet of Opus, or does not fit.</summary>
    public int? Decode(ReadOnlySpan<byte> payload, Span<short> pcm)
    {
        if (payload.IsEmpty || pcm.IsEmpty) return null;
        return Counted(OpusLibrary.opus_decode(handle, in payload[0], payload.Length, ref pcm[0], pcm.Length, 0));
    }

    /// <summary>What the packet before this one held, as far as this one repeats it (in-band FEC); made up where it does not. Before decoding this one.</summary>
    /// <param name="pcm">As long as what was lost.</param>
    public int? Recover(ReadOnlySpan<byte> next, Span<short> pcm)
    {
        if (next.IsEmpty || pcm.IsEmpty) return null;
        return Counted(OpusLibrary.opus_decode(handle, in next[0], next.Length, ref pcm[0], pcm.Length, 1));
    }

    /// <summary>Makes up as much as fits.</summary>
    public int? Conceal(Span<short> pcm) => pcm.IsEmpty ? null : Counted(OpusLibrary.opus_conceal(handle, 0, 0, ref pcm[0], pcm.Length, 0));

    /// <summary>How many samples a packet holds; absent when it is none.</summary>
    public static int? SamplesIn(ReadOnlySpan<byte> payload) =>
        payload.IsEmpty ? null : Counted(OpusLibrary.opus_packet_get_nb_samples(in payload[0], payload.Length, Tone.SampleRate));

    public void Dispose() => handle.Dispose();

    private static int? Counted(int samples) => samples > 0 ? samples : null;
}
