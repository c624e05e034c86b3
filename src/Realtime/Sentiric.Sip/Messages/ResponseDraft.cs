using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Begins a response out of a request, also out of one that could only be cut into lines (RFC 3261 8.2.6).</summary>
internal static class ResponseDraft
{
    /// <summary>Via in order, From, To, Call-ID and CSeq as they came; received and rport in the top Via; the To tag when there is none.</summary>
    public static SipWriter Begin(SipRawMessage request, IPEndPoint source, int statusCode, string? reason, string? toTag)
    {
        SipWriter writer = SipWriter.Response(statusCode, reason ?? SipReasonPhrases.Of(statusCode));
        bool topVia = true;
        for (int i = 0; i < request.HeaderCount; i++)
        {
            SipHeaderId id = request.Id(i);
            if (id == SipHeaderId.Via && topVia)
            {
                topVia = false;
                TopVia(writer, request, i, source);
            }
            else if (id == SipHeaderId.To)
            {
                To(writer, request, i, toTag);
            }
            else if (id is SipHeaderId.Via or SipHeaderId.From or SipHeaderId.CallId or SipHeaderId.CSeq || IsTimestamp(request, i, statusCode))
            {
                writer.Mirror(request, i);
            }
        }

        return writer;
    }

    /// <summary>Record-Route goes back byte for byte, in order (RFC 3261 12.1.1); not at all to a trunk whose equipment chokes on it.</summary>
    public static SipWriter WithRecordRoutes(this SipWriter writer, ServerTransaction transaction, TrunkTable trunks)
    {
        SipRequest request = transaction.Request;
        if (trunks.Find(transaction.Source.Address) is { Profile.EchoesRecordRoute: false })
        {
            return writer;
        }

        for (int i = request.Raw.Find(SipHeaderId.RecordRoute); i >= 0; i = request.Raw.Find(SipHeaderId.RecordRoute, i + 1))
        {
            writer.Mirror(request.Raw, i);
        }

        return writer;
    }

    /// <summary>received and rport filled in as seen from here (RFC 3261 18.2.1, RFC 3581 4); a malformed line goes back as it came.</summary>
    private static void TopVia(SipWriter writer, SipRawMessage request, int index, IPEndPoint source)
    {
        ReadOnlySpan<byte> value = request.Value(index);
        SipScanner scanner = request.Scan(index);
        if (!ViaShape.IsList(ref scanner, out ViaShape via))
        {
            writer.Mirror(request, index);
            return;
        }

        writer.Write(request.NameBytes(index)).Write(": "u8);
        IPAddress address = source.Address.IsIPv4MappedToIPv6 ? source.Address.MapToIPv4() : source.Address;
        bool wantsPort = via.Has(value, "rport"u8);
        if (!wantsPort && IsAddress(via.Host.Of(value), address))
        {
            writer.Write(value).Write("\r\n"u8);
            return;
        }

        via.CopyWithout(value, "rport"u8, "received"u8, writer);
        writer.Write(";received="u8).Write(address);
        if (wantsPort)
        {
            writer.Write(";rport="u8).Write(source.Port);
        }

        writer.Write(value[via.Whole.End..]).Write("\r\n"u8);
    }

    private static bool IsAddress(ReadOnlySpan<byte> host, IPAddress address)
    {
        Span<byte> text = stackalloc byte[64];
        return address.TryFormat(text, out int length) && Ascii.EqualsIgnoreCase(host.Trim("[]"u8), text[..length]);
    }

    private static void To(SipWriter writer, SipRawMessage request, int index, string? toTag)
    {
        SipScanner scanner = request.Scan(index);
        if (toTag is not null && NameAddrShape.TryReadSingle(ref scanner, out NameAddrShape to) && !to.Tag.IsPresent)
        {
            // A folded To ended in spaces would still take the parameter, so the value needs no second look.
            writer.WireHeader(SipHeaderId.To, WireText.Wire(request.Value(index)) + ";tag=" + toTag);
        }
        else
        {
            writer.Mirror(request, index);
        }
    }

    // RFC 3261 8.2.6.1: Timestamp is copied into 100.
    private static bool IsTimestamp(SipRawMessage request, int index, int statusCode) =>
        statusCode == 100 && request.Id(index) == SipHeaderId.Other && Ascii.EqualsIgnoreCase(request.NameBytes(index), "Timestamp"u8);
}
