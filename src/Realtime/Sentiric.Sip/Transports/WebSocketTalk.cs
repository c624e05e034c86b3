using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Sentiric.Sip;

/// <summary>
/// The server's side of a WebSocket after its handshake (RFC 6455 5): one SIP message is one WebSocket message, as text or binary (RFC 7118 5).
/// The client's frames must be masked, ours are not; there are no extensions.
/// <code>
///  0 1 2 3 4 5 6 7   0 1 2 3 4 5 6 7
/// |F|0 0 0|opcode | |M|   length    | 0, 2 or 8 more bytes of length, 4 of mask, payload
/// </code>
/// </summary>
internal sealed class WebSocketTalk : IStreamTalk
{
    public const int ProtocolFault = 1002;
    public const int NotUtf8 = 1007;
    public const int TooBig = 1009;
    private const int GoingAway = 1001;
    private const int NormalEnd = 1000;
    private const int NoStatus = 1005;
    private const int MaxControlBytes = 125;
    private const byte Final = 0x80;
    private const byte Reserved = 0x70;
    private const byte Masked = 0x80;

    private byte[] buffer = new byte[4096];
    private int length;

    /// <summary>Payload of the fragments so far, and what their first frame said they are.</summary>
    private byte[] fragments = [];
    private Opcode fragmented = Opcode.Continuation;

    private enum Opcode : byte
    {
        Continuation = 0,
        Text = 1,
        Binary = 2,
        Close = 8,
        Ping = 9,
        Pong = 10,
    }

    public bool HasPartial => length > 0 || fragmented != Opcode.Continuation;

    public byte[] Ping { get; } = Frame(Opcode.Ping, []);

    public byte[] Goodbye { get; } = CloseFrame(GoingAway);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
        }

        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    public StreamPiece Next()
    {
        while (true)
        {
            ReadOnlySpan<byte> held = buffer.AsSpan(0, length);
            if (!TryHeader(held, out int headerBytes, out int payloadBytes, out int fault))
            {
                return fault == 0 ? StreamPiece.Incomplete : Close(fault);
            }

            if (held.Length < headerBytes + payloadBytes)
            {
                return StreamPiece.Incomplete;
            }

            var opcode = (Opcode)(held[0] & 0x0F);
            bool final = (held[0] & Final) != 0;
            byte[] payload = Unmask(held.Slice(headerBytes - 4, 4), held.Slice(headerBytes, payloadBytes));
            Forget(headerBytes + payloadBytes);
            if (Take(opcode, final, payload) is { Kind: not StreamPieceKind.Incomplete } piece)
            {
                return piece;
            }
        }
    }

    /// <summary>Text where it is text: a browser then gets a string (RFC 7118 5).</summary>
    public ReadOnlyMemory<byte> Wrap(ReadOnlyMemory<byte> message) => Frame(Utf8.IsValid(message.Span) ? Opcode.Text : Opcode.Binary, message.Span);

    public void Pinged()
    {
        // Pongs have an opcode of their own.
    }

    /// <summary>RFC 6455 5.2: reserved bits, minimal length, mask; 5.5: control frames are short and whole.</summary>
    private bool TryHeader(ReadOnlySpan<byte> held, out int headerBytes, out int payloadBytes, out int fault)
    {
        headerBytes = payloadBytes = fault = 0;
        if (held.Length < 2)
        {
            return false;
        }

        int shortLength = held[1] & 0x7F;
        headerBytes = 2 + 4 + (shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0);
        bool control = (held[0] & 0x08) != 0;
        if ((held[0] & Reserved) != 0 || (held[1] & Masked) == 0 || (control && (shortLength > MaxControlBytes || (held[0] & Final) == 0)))
        {
            fault = ProtocolFault;
            return false;
        }

        if (held.Length < headerBytes)
        {
            return false;
        }

        ulong full = shortLength switch { 126 => BinaryPrimitives.ReadUInt16BigEndian(held[2..]), 127 => BinaryPrimitives.ReadUInt64BigEndian(held[2..]), _ => (ulong)shortLength };
        bool minimal = shortLength < 126 || (shortLength == 126 ? full > MaxControlBytes : full > ushort.MaxValue && full <= long.MaxValue);
        fault = !minimal ? ProtocolFault : full + (ulong)fragments.Length > SipLimits.MessageBytes ? TooBig : 0;
        payloadBytes = fault == 0 ? (int)full : 0;
        return fault == 0;
    }

    private StreamPiece Take(Opcode opcode, bool final, byte[] payload)
    {
        switch (opcode)
        {
            case Opcode.Ping:
                return new(StreamPieceKind.Answer, Frame(Opcode.Pong, payload));
            case Opcode.Pong:
                return new(StreamPieceKind.Alive, []);
            case Opcode.Close:
                return TakeClose(payload);
            case Opcode.Text or Opcode.Binary when fragmented == Opcode.Continuation:
                fragmented = opcode;
                return TakePart(final, payload);
            case Opcode.Continuation when fragmented != Opcode.Continuation:
                return TakePart(final, payload);
            default:
                // Unknown opcodes, and fragments of two messages among one another (5.4).
                return Close(ProtocolFault);
        }
    }

    private StreamPiece TakePart(bool final, byte[] payload)
    {
        fragments = fragments.Length == 0 ? payload : [.. fragments, .. payload];
        if (!final)
        {
            return StreamPiece.Incomplete;
        }

        byte[] message = fragments;
        bool text = fragmented == Opcode.Text;
        fragments = [];
        fragmented = Opcode.Continuation;
        return text && !Utf8.IsValid(message) ? Close(NotUtf8) : new(StreamPieceKind.Message, message);
    }

    /// <summary>5.5.1 and 7.4: the code goes back when it may stand on the wire.</summary>
    private StreamPiece TakeClose(byte[] payload)
    {
        int code = payload.Length == 0 ? NormalEnd : payload.Length == 1 ? NoStatus : BinaryPrimitives.ReadUInt16BigEndian(payload);
        bool allowed = code is >= 1000 and <= 1014 and not (1004 or 1005 or 1006) or >= 3000 and <= 4999;
        return !allowed ? Close(ProtocolFault) : payload.Length > 2 && !Utf8.IsValid(payload.AsSpan(2)) ? Close(NotUtf8) : Close(code);
    }

    private static StreamPiece Close(int code) => new(StreamPieceKind.Closed, CloseFrame(code));

    private static byte[] CloseFrame(int code) => Frame(Opcode.Close, [(byte)(code >> 8), (byte)code]);

    private static byte[] Frame(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        int lengthBytes = payload.Length <= MaxControlBytes ? 0 : payload.Length <= ushort.MaxValue ? 2 : 8;
        byte[] frame = new byte[2 + lengthBytes + payload.Length];
        frame[0] = (byte)(Final | (byte)opcode);
        frame[1] = (byte)(lengthBytes == 0 ? payload.Length : lengthBytes == 2 ? 126 : 127);
        if (lengthBytes == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }
        else if (lengthBytes == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
        }

        payload.CopyTo(frame.AsSpan(2 + lengthBytes));
        return frame;
    }

    private static byte[] Unmask(ReadOnlySpan<byte> mask, ReadOnlySpan<byte> payload)
    {
        byte[] plain = payload.ToArray();
        for (int i = 0; i < plain.Length; i++)
        {
            plain[i] ^= mask[i & 3];
        }

        return plain;
    }

    private void Forget(int count)
    {
        buffer.AsSpan(count, length - count).CopyTo(buffer);
        length -= count;
    }
}
