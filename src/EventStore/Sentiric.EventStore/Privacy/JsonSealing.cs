using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>
/// One pass over a payload on its way into the store that copies it and gives every text a chance to become another one. The path of a member is built as the walk goes
/// (<c>Resolution.Trace[2]</c>): it is authenticated with the sealed text, and jsonb may reorder members without changing it.
/// </summary>
internal ref struct JsonSealing
{
    // § would otherwise be written as \u00A7, and the quick look for it would miss it.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>(rule or null, path, text) to the text that is written.</summary>
    public delegate string TextRule(SealingRule? rule, ReadOnlySpan<byte> path, string text);

    private readonly TextRule _text;
    private readonly Utf8JsonWriter _to;
    private Utf8JsonReader _from;
    private byte[] _path = new byte[128];
    private int _pathLength;

    private JsonSealing(ReadOnlySpan<byte> json, Utf8JsonWriter to, TextRule text)
    {
        (_to, _text) = (to, text);
        _from = new Utf8JsonReader(json);
    }

    public static ReadOnlyMemory<byte> Rewrite(ReadOnlySpan<byte> json, SealingRule? rule, TextRule text)
    {
        var output = new ArrayBufferWriter<byte>(json.Length + 256);
        using var writer = new Utf8JsonWriter(output, Writing);
        var walk = new JsonSealing(json, writer, text);
        walk._from.Read();
        walk.Value(rule);
        writer.Flush();
        return output.WrittenMemory;
    }

    private void Value(SealingRule? rule)
    {
        switch (_from.TokenType)
        {
            case JsonTokenType.StartObject:
                Members(rule);
                break;
            case JsonTokenType.StartArray:
                Elements(rule);
                break;
            case JsonTokenType.String:
                _to.WriteStringValue(_text(rule, _path.AsSpan(0, _pathLength), _from.GetString() ?? ""));
                break;
            default:
                _to.WriteRawValue(_from.ValueSpan, skipInputValidation: true);
                break;
        }
    }

    private void Members(SealingRule? rule)
    {
        var here = _pathLength;
        _to.WriteStartObject();
        while (_from.Read() && _from.TokenType == JsonTokenType.PropertyName)
        {
            var name = _from.GetString() ?? "";
            _to.WritePropertyName(name);
            if (here > 0) Step(".");
            var named = _pathLength;
            Step(name);
            _from.Read();
            Value(rule?.Member(_path.AsSpan(named, _pathLength - named)));
            _pathLength = here;
        }
        _to.WriteEndObject();
    }

    private void Elements(SealingRule? rule)
    {
        var here = _pathLength;
        _to.WriteStartArray();
        for (var i = 0; _from.Read() && _from.TokenType != JsonTokenType.EndArray; i++)
        {
            Step(string.Create(CultureInfo.InvariantCulture, $"[{i}]"));
            Value(rule?.Element);
            _pathLength = here;
        }
        _to.WriteEndArray();
    }

    private void Step(string step)
    {
        var needed = _pathLength + Encoding.UTF8.GetMaxByteCount(step.Length);
        if (needed > _path.Length) Array.Resize(ref _path, needed * 2);
        _pathLength += Encoding.UTF8.GetBytes(step, _path.AsSpan(_pathLength));
    }
}

/// <summary>Where a sealed text belongs: what is authenticated along with it.</summary>
internal static class SealedPlace
{
    public static byte[] Prefix(string tenant, string streamId, Guid eventId)
    {
        var (first, second) = (Encoding.UTF8.GetByteCount(tenant), Encoding.UTF8.GetByteCount(streamId));
        var place = new byte[first + second + 2 + 16];
        Encoding.UTF8.GetBytes(tenant, place);
        Encoding.UTF8.GetBytes(streamId, place.AsSpan(first + 1));
        eventId.TryWriteBytes(place.AsSpan(first + second + 2), bigEndian: true, out _);
        return place;
    }

    public static byte[] Of(byte[] prefix, ReadOnlySpan<byte> path)
    {
        var place = new byte[prefix.Length + path.Length];
        prefix.CopyTo(place, 0);
        path.CopyTo(place.AsSpan(prefix.Length));
        return place;
    }
}
