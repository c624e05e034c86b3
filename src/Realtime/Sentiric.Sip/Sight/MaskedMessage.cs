using System.Text;
using System.Text.Unicode;

namespace Sentiric.Sip;

/// <summary>
/// A message as text that may be stored and shown: answers to challenges and media keys are stars, and the text has, in UTF-8, exactly as many
/// bytes as the message, so that Content-Length stays true. What no text column takes (NUL, broken UTF-8) becomes a question mark per byte.
/// </summary>
public static class MaskedMessage
{
    private const byte Star = (byte)'*', Unprintable = (byte)'?';

    /// <param name="maxBytes">Of a longer message this many bytes, from its beginning.</param>
    public static string Of(ReadOnlySpan<byte> message, int maxBytes = int.MaxValue)
    {
        byte[] kept = message[..Math.Min(message.Length, maxBytes)].ToArray();
        MaskLines(kept);
        MakeStorable(kept);
        return Encoding.UTF8.GetString(kept);
    }

    private static void MaskLines(Span<byte> message)
    {
        bool body = false, secret = false;
        while (!message.IsEmpty)
        {
            int end = message.IndexOf((byte)'\n');
            Span<byte> line = (end < 0 ? message : message[..end]).TrimEnd((byte)'\r');
            message = end < 0 ? default : message[(end + 1)..];
            if (body)
            {
                MaskKey(line);
            }
            else if (line.IsEmpty)
            {
                body = true;
            }
            else
            {
                secret = MaskCredentials(line, secret);
            }
        }
    }

    /// <summary>Authorization and Proxy-Authorization (RFC 3261 22), folded lines too (7.3.1). True when this header is one of them.</summary>
    private static bool MaskCredentials(Span<byte> line, bool isSecretFolded)
    {
        bool folded = line[0] is (byte)' ' or (byte)'\t';
        int colon = line.IndexOf((byte)':');
        bool secret = folded ? isSecretFolded : colon > 0 && EndsWith(line[..colon].TrimEnd(" \t"u8), "authorization"u8);
        if (secret)
        {
            line[(folded ? 0 : colon + 1)..].TrimStart(" \t"u8).Fill(Star);
        }

        return secret;
    }

    /// <summary>Keys of SRTP in SDP: a=crypto (RFC 4568 9.1), a=key-mgmt (RFC 4567 3), k= (RFC 4566 5.12).</summary>
    private static void MaskKey(Span<byte> line)
    {
        foreach (byte[] name in KeyLines)
        {
            if (line.Length >= name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                int inline = line.IndexOf("inline:"u8);
                line[(inline < 0 ? name.Length : inline + "inline:"u8.Length)..].Fill(Star);
            }
        }
    }

    private static readonly byte[][] KeyLines = ["a=crypto:"u8.ToArray(), "a=key-mgmt:"u8.ToArray(), "k="u8.ToArray()];

    private static void MakeStorable(Span<byte> text)
    {
        text.Replace((byte)0, Unprintable);
        while (!Utf8.IsValid(text))
        {
            int valid = 0;
            int taken;
            while (Rune.DecodeFromUtf8(text[valid..], out _, out taken) == System.Buffers.OperationStatus.Done)
            {
                valid += taken;
            }

            text.Slice(valid, taken).Fill(Unprintable);
            text = text[(valid + taken)..];
        }
    }

    private static bool EndsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> ending) =>
        name.Length >= ending.Length && Ascii.EqualsIgnoreCase(name[^ending.Length..], ending);
}
