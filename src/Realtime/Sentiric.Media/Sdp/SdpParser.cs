using System.Globalization;

namespace Sentiric.Media;

/// <summary>
/// Reads session descriptions as they come from the wire: LF or CRLF, unknown lines skipped, order not enforced.
/// Whatever does not fit the bounds or lacks its m= numbers is refused with a reason, never thrown.
/// </summary>
public static class SdpParser
{
    public const int MaxLength = 65_536;
    public const int MaxLines = 1_000;
    public const int MaxMedia = 16;
    public const int MaxFormats = 64;

    /// <summary>Null and a refusal when the text is not a usable description.</summary>
    public static SdpDocument? Parse(string text, out MediaRefusal? refusal)
    {
        refusal = null;
        if (text.Length > MaxLength) return Refuse("longer than the bound", out refusal);
        var reader = new Reader();
        var lines = 0;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            if (++lines > MaxLines) return Refuse("more lines than the bound", out refusal);
            var line = text.AsSpan(range).TrimEnd('\r');
            if (line.Length < 2 || line[1] != '=') continue;
            if (reader.Take(line[0], line[2..].Trim().ToString()) is { } problem) return Refuse(problem, out refusal);
        }
        if (reader.SawVersion) return reader.ToDocument();
        return Refuse("no v= line", out refusal);
    }

    private static SdpDocument? Refuse(string why, out MediaRefusal? refusal)
    {
        refusal = new MediaRefusal("sdp.malformed", why);
        return null;
    }

    private sealed class Reader
    {
        private readonly List<SdpAttribute> sessionAttributes = [];
        private readonly List<SdpMedia> media = [];
        private List<SdpAttribute> attributes;
        private string origin = "", sessionAddress = "";

        public Reader() => attributes = sessionAttributes;

        public bool SawVersion { get; private set; }

        public SdpDocument ToDocument() =>
            new(origin, sessionAddress.Length == 0 ? null : sessionAddress, sessionAttributes, media);

        /// <summary>Says what is wrong with a line, or null.</summary>
        public string? Take(char type, string value)
        {
            switch (type)
            {
                case 'v': SawVersion = true; return value == "0" ? null : "unknown version";
                case 'o': origin = value; return null;
                case 'c': return TakeConnection(value);
                case 'm': return TakeMedia(value);
                case 'a': TakeAttribute(value); return null;
                default: return null; // s=, t=, b= and what later RFCs bring tell us nothing
            }
        }

        // c=IN IP4 192.0.2.1[/ttl]
        private string? TakeConnection(string value)
        {
            var parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length < 3) return "malformed c= line";
            var address = parts[2].Split('/')[0];
            if (media.Count == 0) sessionAddress = address;
            else media[^1] = media[^1] with { Address = address };
            return null;
        }

        // m=audio 49170[/2] RTP/AVP 0 8 101
        private string? TakeMedia(string value)
        {
            var parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length < 4) return "malformed m= line";
            if (media.Count == MaxMedia || parts.Length - 3 > MaxFormats) return "more media or formats than the bound";
            if (!int.TryParse(parts[1].Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65_535)
            {
                return "malformed port";
            }
            attributes = [];
            media.Add(new SdpMedia(parts[0], port, parts[2], parts[3..], null, attributes));
            return null;
        }

        private void TakeAttribute(string value)
        {
            var colon = value.IndexOf(':', StringComparison.Ordinal);
            attributes.Add(colon < 0 ? new SdpAttribute(value) : new SdpAttribute(value[..colon], value[(colon + 1)..].Trim()));
        }
    }
}
