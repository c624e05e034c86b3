using System.Globalization;
using System.Text;

namespace Sentiric.Media;

/// <summary>Writes a session description with CRLF line ends, in the order that RFC 8866 5 wants.</summary>
public static class SdpWriter
{
    public static string Write(SdpDocument document)
    {
        var text = new StringBuilder();
        Line(text, $"v=0");
        Line(text, $"o={document.Origin}");
        Line(text, $"s=-");
        if (document.Address is { } address) Line(text, $"c=IN IP4 {address}");
        Line(text, $"t=0 0");
        WriteAttributes(text, document.Attributes);
        foreach (var media in document.Media)
        {
            Line(text, $"m={media.Kind} {media.Port} {media.Protocol} {string.Join(' ', media.Formats)}");
            if (media.Address is { } own) Line(text, $"c=IN IP4 {own}");
            WriteAttributes(text, media.Attributes);
        }
        return text.ToString();
    }

    private static void WriteAttributes(StringBuilder text, IReadOnlyList<SdpAttribute> attributes)
    {
        foreach (var attribute in attributes)
        {
            if (attribute.Value is { } value) Line(text, $"a={attribute.Name}:{value}");
            else Line(text, $"a={attribute.Name}");
        }
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
}
