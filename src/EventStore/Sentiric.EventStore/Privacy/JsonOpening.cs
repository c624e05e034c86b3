using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Sentiric.EventStore;

/// <summary>
/// Opens the sealed texts of a page's payloads. A payload is walked once; what is not sealed is copied as it stands, and a sealed text goes from its
/// base64 to its plain bytes without becoming a string in between.
/// <code>
///   payload   {"A":"§1.key.data","N":7,"B":"§1.key.data"}
///   copied    {"A":             ,"N":7,"B":             }
///   opened          "merhaba"                "evet"
///   place     tenant 0 stream 0 event id | path        authenticated along; the path is written behind the rest as the walk goes
/// </code>
/// Owned by one thread for the length of one page. Its buffers come from the pool and are wiped before they go back: they held what people said.
/// </summary>
internal sealed class JsonOpening(IReadOnlyDictionary<string, SubjectKey> keys) : IDisposable
{
    // As UTF-8: § has two bytes.
    private const int KeyIdAt = 4;
    private const int DataAt = KeyIdAt + SealedText.KeyIdLength + 1;
    private const int FirstBytes = 4_096;
    private const int QuoteBytes = 2;

    // One byte becomes six at most: \u0000.
    private const int JsonEscapeBytes = 6;

    /// <summary>RFC 8259 section 7: what a string may not hold as it is.</summary>
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);
    private static readonly byte[] Placeholder = Encoding.UTF8.GetBytes($"\"{PersonalDataMap.Placeholder}\"");

    private readonly Dictionary<string, AesGcm?> _ciphers = new(StringComparer.Ordinal);
    private readonly byte[] _lastKeyId = new byte[SealedText.KeyIdLength];
    private AesGcm? _lastCipher;
    private byte[] _output = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private byte[] _place = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private byte[] _sealed = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private byte[] _plain = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private byte[] _text = ArrayPool<byte>.Shared.Rent(FirstBytes);

    // Of the payload at hand: how far it is copied, how much is written, where the path begins and ends in _place, which member did not open.
    private int _copied;
    private int _written;
    private int _pathAt;
    private int _placeEnd;
    private string? _unopened;

    /// <summary>The same event with every sealed text open; with a blank where the key is gone; marked where a text does not open.</summary>
    public RecordedEvent Open(RecordedEvent recorded, SealingRule? rule)
    {
        var json = recorded.Json.Span;
        (_copied, _written, _unopened) = (0, 0, null);
        SetPlace(recorded);
        var from = new Utf8JsonReader(json);
        from.Read();
        Value(json, ref from, rule);
        if (_copied == 0) return recorded;
        Write(json[_copied..]);
        return recorded with
        {
            Json = _output.AsSpan(0, _written).ToArray(),
            Tampered = _unopened is { } member ? new PersonalDataTamperedException(recorded.StreamId, recorded.EventId, member) : null,
        };
    }

    public void Dispose()
    {
        foreach (var cipher in _ciphers.Values) cipher?.Dispose();
        foreach (var buffer in new[] { _output, _place, _sealed, _plain, _text }) ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
    }

    private void SetPlace(RecordedEvent recorded)
    {
        var prefix = SealedPlace.Prefix(recorded.Tenant, recorded.StreamId, recorded.EventId);
        _pathAt = _placeEnd = 0;
        Step(prefix);
        _pathAt = _placeEnd;
    }

    private void Value(ReadOnlySpan<byte> json, ref Utf8JsonReader from, SealingRule? rule)
    {
        if (from.TokenType == JsonTokenType.StartObject) Members(json, ref from, rule);
        else if (from.TokenType == JsonTokenType.StartArray) Elements(json, ref from, rule);
        else if (from.TokenType == JsonTokenType.String && (from.ValueIsEscaped || from.ValueSpan.StartsWith(SealedText.Mark))) Text(json, ref from, rule);
    }

    private void Members(ReadOnlySpan<byte> json, ref Utf8JsonReader from, SealingRule? rule)
    {
        var here = _placeEnd;
        while (from.Read() && from.TokenType == JsonTokenType.PropertyName)
        {
            if (here > _pathAt) Step("."u8);
            var name = _placeEnd;
            if (from.ValueIsEscaped) Step(Encoding.UTF8.GetBytes(from.GetString() ?? ""));
            else Step(from.ValueSpan);
            var below = rule?.Member(_place.AsSpan(name, _placeEnd - name));
            from.Read();
            Value(json, ref from, below);
            _placeEnd = here;
        }
    }

    private void Elements(ReadOnlySpan<byte> json, ref Utf8JsonReader from, SealingRule? rule)
    {
        var here = _placeEnd;
        Span<byte> step = stackalloc byte[16];
        for (var i = 0; from.Read() && from.TokenType != JsonTokenType.EndArray; i++)
        {
            Utf8.TryWrite(step, CultureInfo.InvariantCulture, $"[{i}]", out var length);
            Step(step[..length]);
            Value(json, ref from, rule?.Element);
            _placeEnd = here;
        }
    }

    private void Text(ReadOnlySpan<byte> json, ref Utf8JsonReader from, SealingRule? rule)
    {
        var text = from.ValueIsEscaped ? Unescaped(ref from) : from.ValueSpan;
        if (!text.StartsWith(SealedText.Mark)) return;
        var isPlain = !IsSealed(text, out var sealedBytes);
        if (isPlain && !text.StartsWith(SealedText.EscapeMark)) return;
        var at = (int)from.TokenStartIndex;
        Write(json[_copied..at]);
        _copied = at + from.ValueSpan.Length + QuoteBytes;
        if (isPlain) WriteText(text[SealedText.EscapeMark.Length..]);
        else if (CipherOf(text.Slice(KeyIdAt, SealedText.KeyIdLength)) is not { } cipher) Write(rule is { WhenErased: WhenErased.Null } ? "null"u8 : Placeholder);
        else if (TryOpen(cipher, sealedBytes, out var plain)) WriteText(plain);
        else Unopened(json[at.._copied]);
    }

    private ReadOnlySpan<byte> Unescaped(ref Utf8JsonReader from)
    {
        Reserve(ref _text, 0, from.ValueSpan.Length);
        return _text.AsSpan(0, from.CopyString(_text));
    }

    private bool IsSealed(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> sealedBytes)
    {
        sealedBytes = default;
        if (text.Length <= DataAt || text[DataAt - 1] != '.' || !text.StartsWith(SealedText.SealedMark) || !Base64Url.IsValid(text.Slice(KeyIdAt, SealedText.KeyIdLength))) return false;
        var data = text[DataAt..];
        Reserve(ref _sealed, 0, Base64Url.GetMaxDecodedLength(data.Length));
        if (Base64Url.DecodeFromUtf8(data, _sealed, out _, out var length) != OperationStatus.Done || length < SealedText.NonceBytes + SealedText.TagBytes) return false;
        sealedBytes = _sealed.AsSpan(0, length);
        return true;
    }

    /// <summary>Null when the key was destroyed. Texts that stand together are mostly one person's.</summary>
    private AesGcm? CipherOf(ReadOnlySpan<byte> keyId)
    {
        if (keyId.SequenceEqual(_lastKeyId)) return _lastCipher;
        keyId.CopyTo(_lastKeyId);
        var id = Encoding.ASCII.GetString(keyId);
        if (!_ciphers.TryGetValue(id, out _lastCipher))
            _ciphers[id] = _lastCipher = keys.TryGetValue(id, out var key) ? new AesGcm(key.Key, SealedText.TagBytes) : null;
        return _lastCipher;
    }

    private bool TryOpen(AesGcm cipher, ReadOnlySpan<byte> whole, out ReadOnlySpan<byte> plain)
    {
        var length = whole.Length - SealedText.NonceBytes - SealedText.TagBytes;
        Reserve(ref _plain, 0, length);
        var into = _plain.AsSpan(0, length);
        plain = into;
        try
        {
            cipher.Decrypt(whole[..SealedText.NonceBytes], whole.Slice(SealedText.NonceBytes, length), whole[(SealedText.NonceBytes + length)..], into, _place.AsSpan(0, _placeEnd));
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>The text stays as it lies; whoever wants to know what the event says is told.</summary>
    private void Unopened(ReadOnlySpan<byte> asItIs)
    {
        Write(asItIs);
        _unopened ??= Encoding.UTF8.GetString(_place.AsSpan(_pathAt, _placeEnd - _pathAt));
    }

    private void WriteText(ReadOnlySpan<byte> plain)
    {
        Write("\""u8);
        if (plain.IndexOfAny(Escaped) < 0) Write(plain);
        else WriteEscaped(plain);
        Write("\""u8);
    }

    private void WriteEscaped(ReadOnlySpan<byte> plain)
    {
        Reserve(ref _output, _written, plain.Length * JsonEscapeBytes);
        if (JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(plain, _output.AsSpan(_written), out _, out var length) != OperationStatus.Done)
            throw new InvalidDataException("A sealed text is no UTF-8.");
        _written += length;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        Reserve(ref _output, _written, bytes.Length);
        bytes.CopyTo(_output.AsSpan(_written));
        _written += bytes.Length;
    }

    private void Step(ReadOnlySpan<byte> step)
    {
        Reserve(ref _place, _placeEnd, step.Length);
        step.CopyTo(_place.AsSpan(_placeEnd));
        _placeEnd += step.Length;
    }

    private static void Reserve(ref byte[] buffer, int used, int more)
    {
        if (used + more <= buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(used + more, buffer.Length * 2));
        buffer.AsSpan(0, used).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        buffer = larger;
    }
}
