using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// What requests are matched by, as a keyed hash: sixteen bytes wherever it is kept, no text to hold on to and none to compare. The key
/// is drawn at the start of the process, so nobody outside can make two of them meet.
/// </summary>
internal readonly record struct TransactionKey(ulong Low, ulong High)
{
    private const int UsualBytes = 512;
    private static readonly ulong Secret0 = SipRandom.NextUInt64(), Secret1 = SipRandom.NextUInt64();

    public override int GetHashCode() => (int)Low;

    /// <summary>RFC 3261 17.2.3. ACK and CANCEL look for the INVITE, so the method is asked for.</summary>
    public static TransactionKey OfServer(SipRequest request, string method)
    {
        ReadOnlySpan<byte> line = request.TopViaLine;
        ref readonly ViaShape via = ref request.TopViaShape;
        ReadOnlySpan<byte> branch = via.Branch.IsPresent ? via.Branch.Of(line) : default;
        if (branch.Length > Via.MagicCookie.Length && branch.StartsWith("z9hG4bK"u8))
        {
            return Of(method, via.Port, branch, via.Host.Of(line), default, default);
        }

        // Without a unique branch the RFC 2543 rules hold: Request-URI, From tag, Call-ID, CSeq, top Via.
        return Of(method, request.CSeq.Number, request.UriBytes, request.FromTagBytes, request.CallIdBytes, via.Whole.Of(line));
    }

    /// <summary>RFC 3261 8.2.2.2: the same request over two paths has equal From tag, Call-ID and CSeq, but another branch. Null: not to be merged.</summary>
    public static TransactionKey? OfMerge(SipRequest request) =>
        request.HasToTag || !request.HasFromTag || request.Is(SipMethod.Cancel)
            ? null
            : Of(request.CSeq.Method, request.CSeq.Number, request.CallIdBytes, request.FromTagBytes, default, default);

    /// <summary>Each part with its length, so that no byte can move from one into the next.</summary>
    private static TransactionKey Of(
        string method, long number, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, ReadOnlySpan<byte> three, ReadOnlySpan<byte> four)
    {
        int length = sizeof(long) + (5 * sizeof(int)) + method.Length + one.Length + two.Length + three.Length + four.Length;
        byte[]? borrowed = length > UsualBytes ? ArrayPool<byte>.Shared.Rent(length) : null;
        Span<byte> text = borrowed ?? stackalloc byte[UsualBytes];
        BinaryPrimitives.WriteInt64LittleEndian(text, number);
        int at = sizeof(long);
        BinaryPrimitives.WriteInt32LittleEndian(text[at..], method.Length);
        at += sizeof(int);
        at += Encoding.Latin1.GetBytes(method, text[at..]);
        Add(text, ref at, one);
        Add(text, ref at, two);
        Add(text, ref at, three);
        Add(text, ref at, four);
        var (low, high) = SipHash.Of(text[..at], Secret0, Secret1);
        if (borrowed is not null)
        {
            ArrayPool<byte>.Shared.Return(borrowed);
        }

        return new TransactionKey(low, high);
    }

    private static void Add(Span<byte> text, ref int at, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32LittleEndian(text[at..], part.Length);
        part.CopyTo(text[(at + sizeof(int))..]);
        at += sizeof(int) + part.Length;
    }
}
