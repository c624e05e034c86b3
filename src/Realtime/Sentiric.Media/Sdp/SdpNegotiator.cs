using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Media;

/// <summary>
/// Offer/answer (RFC 3264) for one audio stream. An answer is a subset of its offer: the first payload type in the offer's order
/// that we speak, telephone-event under the offered number, every other stream refused with port 0.
/// </summary>
public static class SdpNegotiator
{
    private const string Plain = "RTP/AVP", Secure = "RTP/SAVP";
    private const int PacketMs = 20;

    /// <summary>Answers an offer, or says why it cannot be answered (SIP 488; 400 for <c>sdp.malformed</c>).</summary>
    public static SdpOutcome Answer(string offer, MediaCapabilities capabilities, SdpLocal local)
    {
        if (SdpParser.Parse(offer, out var refusal) is not { } document) return new SdpOutcome(null, null, refusal);
        for (var i = 0; i < document.Media.Count; i++)
        {
            var offered = document.Media[i];
            if (!MaySpeak(offered, capabilities) || Agree(document, offered, capabilities) is not { } audio) continue;
            var crypto = offered.Protocol == Secure ? SdpCrypto.Choose(offered, local.SrtpKeys ?? []) : null;
            if (offered.Protocol == Secure && crypto is null) continue;
            audio = audio with { Srtp = crypto?.Pair };
            var media = document.Media.Select((m, at) => at == i ? Accept(m, audio, local.RtpPort, crypto?.Answer) : Reject(m)).ToList();
            return new SdpOutcome(SdpWriter.Write(Describe(local, media)), audio, null);
        }
        return SdpOutcome.Refused(MediaRefusal.NothingInCommon, "no audio stream with a codec, protocol, key and IPv4 address that we share");
    }

    /// <summary>Offers everything that we can do.</summary>
    /// <param name="agreed">What was agreed on before: its dynamic numbers keep their meaning (RFC 3264 8.3.2).</param>
    public static string Offer(MediaCapabilities capabilities, SdpLocal local, NegotiatedAudio? agreed = null)
    {
        var numbers = new OfferedNumbers(agreed);
        List<string> formats = [];
        List<SdpAttribute> attributes = [];
        foreach (var codec in capabilities.Codecs)
        {
            var number = numbers.Of(codec);
            formats.Add(Text(number));
            attributes.AddRange(CodecLines(codec, number));
        }
        if (capabilities.TelephoneEvent)
        {
            foreach (var rate in EventRates(capabilities))
            {
                var number = numbers.OfEvents(rate);
                formats.Add(Text(number));
                attributes.AddRange(TelephoneEventLines(number, rate));
            }
        }
        if (capabilities.ComfortNoise) AddComfortNoise(formats, attributes);
        attributes.Add(new SdpAttribute("ptime", Text(PacketMs)));
        attributes.Add(new SdpAttribute(capabilities.Direction.AttributeName()));
        if (capabilities.RtcpMux) attributes.Add(new SdpAttribute("rtcp-mux"));
        var secure = capabilities.Srtp == SrtpPolicy.Required;
        if (secure) attributes.AddRange(SdpCrypto.Offer(local.SrtpKeys ?? []));
        return SdpWriter.Write(Describe(local, [new SdpMedia("audio", local.RtpPort, secure ? Secure : Plain, formats, null, attributes)]));
    }

    /// <summary>Reads the answer to our own <see cref="Offer"/>; refused when it takes nothing of it.</summary>
    /// <param name="keys">The keys of our offer, in its order.</param>
    public static SdpOutcome ReadAnswer(string answer, MediaCapabilities offered, IReadOnlyList<SrtpKey>? keys = null)
    {
        if (SdpParser.Parse(answer, out var refusal) is not { } document) return new SdpOutcome(null, null, refusal);
        var media = document.Media.Count == 0 ? null : document.Media[0];
        var wanted = offered.Srtp == SrtpPolicy.Required ? Secure : Plain; // an answer keeps the protocol of its offer (RFC 3264 6)
        var audio = media is null || media.Protocol != wanted ? null : Agree(document, media, offered);
        if (audio is not null && media is not null && wanted == Secure)
        {
            audio = SdpCrypto.Read(media, keys ?? []) is { } pair ? audio with { Srtp = pair } : null;
        }
        return audio is null
            ? SdpOutcome.Refused(MediaRefusal.NothingInCommon, "the answer accepts nothing that was offered")
            : new SdpOutcome(answer, audio, null);
    }

    private static bool MaySpeak(SdpMedia media, MediaCapabilities capabilities) => media.Protocol switch
    {
        Plain => capabilities.Srtp != SrtpPolicy.Required,
        Secure => capabilities.Srtp != SrtpPolicy.Never,
        _ => false,
    };

    // Null when this stream cannot be ours.
    private static NegotiatedAudio? Agree(SdpDocument document, SdpMedia media, MediaCapabilities capabilities)
    {
        if (media.Kind != "audio" || media.Port == 0) return null;
        if (document.AddressOf(media) is not { AddressFamily: AddressFamily.InterNetwork } address) return null;
        foreach (var format in media.Formats)
        {
            if (CodecOf(media, format) is not { } codec || !capabilities.Codecs.Contains(codec)) continue;
            var mux = capabilities.RtcpMux && media.Has("rtcp-mux");
            var events = capabilities.TelephoneEvent ? TelephoneEventOf(media, codec) : null;
            return new NegotiatedAudio(
                new IPEndPoint(address, media.Port),
                new IPEndPoint(address, mux ? media.Port : RtcpPortOf(media)),
                codec,
                int.Parse(format, CultureInfo.InvariantCulture),
                events?.PayloadType,
                OurDirection(document, media, address, capabilities.Direction),
                mux)
            {
                // Its clock is the codec's (RFC 3389 4), and its static number means 8 kHz.
                ComfortNoise = capabilities.ComfortNoise && codec.ClockRate() == Tone.SampleRate && TakesComfortNoise(media),
                TelephoneEventRate = events?.Rate ?? Tone.SampleRate,
                Opus = codec == AudioCodec.Opus ? OpusFormat.Parse(ParametersOf(media, format)) : null,
            };
        }
        return null;
    }

    // A static payload type needs no rtpmap (RFC 3551 table 4); where there is one, it rules.
    private static AudioCodec? CodecOf(SdpMedia media, string format)
    {
        if (!int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out var payloadType) || payloadType > 127) return null;
        var encoding = EncodingOf(media, format);
        foreach (var codec in Enum.GetValues<AudioCodec>())
        {
            if (encoding is null ? payloadType == codec.StaticPayloadType() : Means(encoding, codec)) return codec;
        }
        return null;
    }

    // Static, so an rtpmap may be missing; another meaning of 13 is none of ours.
    private static bool TakesComfortNoise(SdpMedia media)
    {
        var format = Text(ComfortNoise.PayloadType);
        return media.Formats.Contains(format) && (EncodingOf(media, format) is not { } encoding || IsEncoding(encoding, ComfortNoise.EncodingName));
    }

    private static void AddComfortNoise(List<string> formats, List<SdpAttribute> attributes)
    {
        formats.Add(Text(ComfortNoise.PayloadType));
        attributes.Add(new SdpAttribute("rtpmap", $"{Text(ComfortNoise.PayloadType)} {ComfortNoise.EncodingName}/8000"));
    }

    // RFC 4733 2.1: the clock of the audio beside it. Many telephones name 8 kHz beside Opus and nothing else, so that has to do.
    private static (int PayloadType, int Rate)? TelephoneEventOf(SdpMedia media, AudioCodec codec) =>
        TelephoneEventAt(media, codec.ClockRate()) ?? (codec.ClockRate() == Tone.SampleRate ? null : TelephoneEventAt(media, Tone.SampleRate));

    private static (int PayloadType, int Rate)? TelephoneEventAt(SdpMedia media, int rate)
    {
        foreach (var format in media.Formats)
        {
            if (EncodingOf(media, format) is not { } encoding || !IsEncoding(encoding, "telephone-event", rate)) continue;
            var isNumber = int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out var payloadType);
            if (isNumber && payloadType <= 127) return (payloadType, rate);
        }
        return null;
    }

    // The usual clock, which everybody knows, and that of the codecs beside it.
    private static IEnumerable<int> EventRates(MediaCapabilities capabilities) =>
        capabilities.Codecs.Select(c => c.ClockRate()).Append(Tone.SampleRate).Distinct().Order();

    // a=rtpmap:101 telephone-event/8000[/1]
    private static string? EncodingOf(SdpMedia media, string format) => About(media, "rtpmap", format);

    private static string? ParametersOf(SdpMedia media, string format) => About(media, "fmtp", format);

    private static string? About(SdpMedia media, string name, string format)
    {
        foreach (var attribute in media.Attributes)
        {
            if (attribute.Name != name || attribute.Value is not { } value) continue;
            var space = value.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && value.AsSpan(0, space).SequenceEqual(format)) return value[(space + 1)..].Trim();
        }
        return null;
    }

    private static bool Means(string encoding, AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma or AudioCodec.Pcmu or AudioCodec.G722 => IsEncoding(encoding, codec.EncodingName()),
        AudioCodec.Opus => encoding.Equals(codec.MapName(), StringComparison.OrdinalIgnoreCase), // two channels, always (RFC 7587 7)
    };

    private static bool IsEncoding(string encoding, string name, int rate = Tone.SampleRate)
    {
        var parts = encoding.Split('/');
        return parts.Length >= 2 && parts[0].Equals(name, StringComparison.OrdinalIgnoreCase) && parts[1] == Text(rate)
            && (parts.Length == 2 || parts[2] == "1");
    }

    // RFC 3264 6.1, and 8.4 for the address 0.0.0.0, which means "do not send to me".
    private static MediaDirection OurDirection(SdpDocument document, SdpMedia media, IPAddress address, MediaDirection wish)
    {
        var theirs = DirectionIn(media.Attributes) ?? DirectionIn(document.Attributes) ?? MediaDirection.SendRecv;
        if (address.Equals(IPAddress.Any)) theirs = theirs.And(MediaDirection.SendOnly);
        return theirs.Mirror().And(wish);
    }

    private static MediaDirection? DirectionIn(IReadOnlyList<SdpAttribute> attributes)
    {
        foreach (var attribute in attributes)
        {
            foreach (var direction in Enum.GetValues<MediaDirection>())
            {
                if (attribute.Name == direction.AttributeName()) return direction;
            }
        }
        return null;
    }

    // RFC 3605: a=rtcp:53020
    private static int RtcpPortOf(SdpMedia media)
    {
        var text = media.Find("rtcp")?.Split(' ')[0];
        var given = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65_535;
        return given ? port : Math.Min(media.Port + 1, 65_535);
    }

    private static SdpMedia Accept(SdpMedia offered, NegotiatedAudio audio, int port, SdpAttribute? crypto)
    {
        List<string> formats = [Text(audio.PayloadType)];
        List<SdpAttribute> attributes = [.. CodecLines(audio.Codec, audio.PayloadType)];
        if (audio.TelephoneEventPayloadType is { } events)
        {
            formats.Add(Text(events));
            attributes.AddRange(TelephoneEventLines(events, audio.TelephoneEventRate));
        }
        if (audio.ComfortNoise) AddComfortNoise(formats, attributes);
        attributes.Add(new SdpAttribute("ptime", Text(PacketMs)));
        attributes.Add(new SdpAttribute(audio.Direction.AttributeName()));
        if (offered.Find("mid") is { } mid) attributes.Add(new SdpAttribute("mid", mid));
        if (audio.RtcpMux) attributes.Add(new SdpAttribute("rtcp-mux"));
        if (crypto is not null) attributes.Add(crypto);
        return new SdpMedia("audio", port, offered.Protocol, formats, null, attributes);
    }

    // RFC 3264 6: a refused stream keeps its place with port 0.
    private static SdpMedia Reject(SdpMedia offered) => new(offered.Kind, 0, offered.Protocol, offered.Formats, null, []);

    private static IEnumerable<SdpAttribute> CodecLines(AudioCodec codec, int payloadType)
    {
        yield return new SdpAttribute("rtpmap", $"{Text(payloadType)} {codec.MapName()}");
        if (codec == AudioCodec.Opus) yield return new SdpAttribute("fmtp", $"{Text(payloadType)} {OpusFormat.Ours}");
    }

    private static IEnumerable<SdpAttribute> TelephoneEventLines(int payloadType, int rate) =>
        [new("rtpmap", $"{Text(payloadType)} telephone-event/{Text(rate)}"), new("fmtp", $"{Text(payloadType)} 0-15")];

    private static SdpDocument Describe(SdpLocal local, IReadOnlyList<SdpMedia> media) =>
        new($"- {Text(local.SessionId)} {Text(local.Version)} IN IP4 {local.Address}", local.Address.ToString(), [], media);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
