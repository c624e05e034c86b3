using System.Globalization;

namespace Sentiric.Media;

/// <summary>
/// What a listener says in <c>a=fmtp</c> about the Opus it wants to hear (RFC 7587 7.1): <c>maxaveragebitrate=24000;useinbandfec=1</c>.
/// Parameters that we do not know, and values that make no sense, change nothing.
/// </summary>
/// <param name="Bitrate">Bits a second that we send at most, 6,000 to 510,000.</param>
/// <param name="InbandFec">Packets repeat the one before, thinner, for a listener who lost it.</param>
/// <param name="ConstantBitrate">Every packet of the same size.</param>
public sealed record OpusFormat(int Bitrate, bool InbandFec, bool ConstantBitrate)
{
    /// <summary>More is not heard in 4 kHz of one voice; RFC 7587 3.1.1 names 8 to 12 kbit/s for such speech, and the redundancy comes on top.</summary>
    public const int OwnBitrate = 24_000;
    private const int LeastBitrate = 6_000;

    /// <summary>Says nothing of itself.</summary>
    public static OpusFormat Plain { get; } = new(OwnBitrate, InbandFec: false, ConstantBitrate: false);

    /// <summary>What we say of ourselves. 8,000 Hz are the rate inside, so nobody needs to spend bits above.</summary>
    public static string Ours { get; } = string.Create(CultureInfo.InvariantCulture, $"maxplaybackrate=8000;maxaveragebitrate={OwnBitrate};stereo=0;useinbandfec=1");

    /// <param name="parameters">Behind the payload type; absent without such a line.</param>
    public static OpusFormat Parse(string? parameters)
    {
        var format = Plain;
        foreach (var parameter in (parameters ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) format = format.With(parameter[..equals].TrimEnd(), parameter[(equals + 1)..].TrimStart());
        }
        return format;
    }

    private OpusFormat With(string name, string value)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return this;
        return name.ToLowerInvariant() switch
        {
            "maxaveragebitrate" => this with { Bitrate = Math.Clamp(number, LeastBitrate, OwnBitrate) },
            "useinbandfec" => this with { InbandFec = number == 1 },
            "cbr" => this with { ConstantBitrate = number == 1 },
            _ => this,
        };
    }
}
