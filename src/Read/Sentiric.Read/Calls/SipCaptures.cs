using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The SIP ladder of a call as a capture for Wireshark. It holds the messages whose text was kept (<c>Sip__KeepMessages</c>).</summary>
public static class SipCaptures
{
    /// <summary>How many messages of the ladder are not in the file: their text was not kept, or its person was forgotten.</summary>
    public const string LeftOutHeader = "Messages-Left-Out";

    private const int MaxEvents = 20_000;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/sip.pcap", (HttpContext http, IEventStore store, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(http, store, tenant, callId, ct)))
            .WithTags("calls").WithName("GetSipCapture").Produces(StatusCodes.Status200OK, contentType: PcapFile.ContentType)
            .WithSummary("The SIP messages of a call as pcap, where they are kept.");

    private static async Task<IResult> AnswerAsync(HttpContext http, IEventStore store, string tenant, Guid callId, CancellationToken ct)
    {
        if (await LadderAsync(store, tenant, callId, ct) is not { } ladder)
        {
            return ReadHttp.Problem("call.unknown", $"There is no call {callId} in tenant '{tenant}'.");
        }

        var datagrams = ladder.Select(DatagramOf).OfType<PcapFile.Datagram>().OrderBy(d => d.At).ToList();
        if (datagrams.Count == 0)
        {
            return ReadHttp.Problem("capture.unknown", $"No SIP message of call {callId} is kept: set Sip__KeepMessages=true before the call; what a forgotten person sent is gone.");
        }

        http.Response.Headers[LeftOutHeader] = (ladder.Count - datagrams.Count).ToString(CultureInfo.InvariantCulture);
        return Results.File(PcapFile.Of(datagrams), PcapFile.ContentType, $"{callId:D}.pcap");
    }

    /// <summary>Null: there is no such call.</summary>
    private static async Task<IReadOnlyList<SipMessageLogged>?> LadderAsync(IEventStore store, string tenant, Guid callId, CancellationToken ct)
    {
        var stored = EventCatalog.Of(typeof(SipMessageLogged)).StoredName;
        var ladder = new List<SipMessageLogged>();
        var known = false;
        await foreach (var recorded in store.ReadStreamAsync(tenant, Streams.Call(callId), 1, MaxEvents, ct))
        {
            known = true;
            if (recorded.EventType == stored && store.Serializer.Deserialize(recorded) is SipMessageLogged message)
            {
                ladder.Add(message);
            }
        }

        return known ? ladder : null;
    }

    private static PcapFile.Datagram? DatagramOf(SipMessageLogged message)
    {
        if (message.Text is not { } text || !IPEndPoint.TryParse(message.Local ?? "", out var local) || !IPEndPoint.TryParse(message.Remote, out var remote))
        {
            return null;
        }

        local = OfFamily(local, remote.Address);
        var (from, to) = message.Inbound ? (remote, local) : (local, remote);
        return new(message.At, from, to, Encoding.UTF8.GetBytes(text), message.Bytes);
    }

    /// <summary>A socket on [::] hears IPv4 too: the packet then has an IPv4 address on both sides.</summary>
    private static IPEndPoint OfFamily(IPEndPoint local, IPAddress remote)
    {
        var four = remote.AddressFamily == AddressFamily.InterNetwork || remote.IsIPv4MappedToIPv6;
        var address = local.Address.IsIPv4MappedToIPv6 ? local.Address.MapToIPv4() : local.Address;
        return four == (address.AddressFamily == AddressFamily.InterNetwork) ? new(address, local.Port) : new(four ? IPAddress.Any : IPAddress.IPv6Any, local.Port);
    }
}
