using System.Net;

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

    /// <summary>Record-Route goes back byte for byte, in order (RFC 3261 12.1.1).</summary>
    public static SipWriter WithRecordRoutes(this SipWriter writer, SipRequest request)
    {
        for (int i = request.Raw.Find(SipHeaderId.RecordRoute); i >= 0; i = request.Raw.Find(SipHeaderId.RecordRoute, i + 1))
        {
            writer.Mirror(request.Raw, i);
        }

        return writer;
    }

    private static void TopVia(SipWriter writer, SipRawMessage request, int index, IPEndPoint source)
    {
        var vias = new List<Via>();
        if (!Via.TryParseList(request.Value(index), vias))
        {
            writer.Mirror(request, index);
            return;
        }

        writer.WireHeader(SipHeaderId.Via, vias[0].WithSource(source));
        foreach (Via via in vias.Skip(1))
        {
            writer.WireHeader(SipHeaderId.Via, via.Wire);
        }
    }

    private static void To(SipWriter writer, SipRawMessage request, int index, string? toTag)
    {
        bool addTag = toTag is not null && NameAddr.TryParse(request.Value(index), out NameAddr? to) && to.Tag is null;
        if (addTag)
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
        statusCode == 100 && request.Id(index) == SipHeaderId.Other && request.Name(index).Equals("Timestamp", StringComparison.OrdinalIgnoreCase);
}
