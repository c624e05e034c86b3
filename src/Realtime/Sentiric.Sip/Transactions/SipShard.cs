using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Sentiric.Sip;

/// <summary>
/// One owner of transactions, dialogs and timers: everything in here runs on <see cref="Queue"/>, one piece at a time. It
/// receives parsed messages, finds whom they belong to by key, and sends what its transactions want sent.
/// </summary>
internal sealed class SipShard : ISipTransportSink, IDisposable
{
    /// <summary>Messages waiting for the shard; beyond it new ones are dropped and the peers repeat them.</summary>
    private const int MaxPendingMessages = 10_000;

    private readonly Dictionary<TransactionKey, IServerTransaction> servers = [];
    private readonly Dictionary<ClientKey, IClientTransaction> clients = [];
    private readonly Dictionary<TransactionKey, TransactionKey> merges = [];
    private readonly SourceAdmission admission;
    private readonly UasCore uas;
    private readonly byte[] tagSecret = RandomNumberGenerator.GetBytes(32);
    private Action? rung;
    private long received, sent, malformed, refusedSources, rateLimited, overloaded;

    public SipShard(SipEndpointOptions options, ISipApplication application)
    {
        Options = options;
        Capabilities = new SipCapabilities(options);
        Application = application;
        Calling = new ApplicationCalls(options.Callbacks, fault => SipLog.WorkFaulted(options.Logger, fault));
        Queue = new SerialQueue(Calling, fault => SipLog.WorkFaulted(options.Logger, fault));
        Watch = options.Callbacks == SipCallbacks.ThreadPool ? null : new SipWatch(Ring);
        Timers = Watch is not null && options.TimeProvider == TimeProvider.System
            ? new TimerWheel(options.TimeProvider, Watch)
            : new TimerWheel(options.TimeProvider, Queue);
        admission = new SourceAdmission(options.SourceLimits, options.TimeProvider);
        Dialogs = new DialogTable();
        Routes = new SipRouting(this);
        uas = new UasCore(this);
        Meter = new SipMeter(Statistics, () => (Queue.Pending, Calling.Unfinished), options.Guard);
    }

    public SipMeter Meter { get; }

    public SipEndpointOptions Options { get; }

    public ISipApplication Application { get; }

    public SerialQueue Queue { get; }

    public TimerWheel Timers { get; }

    /// <summary>Null where the thread pool does what it does.</summary>
    public SipWatch? Watch { get; }

    /// <summary>The way to the application.</summary>
    public ApplicationCalls Calling { get; }

    public DialogTable Dialogs { get; }

    public SipRouting Routes { get; }

    public List<ISipTransport> Transports { get; } = [];

    /// <summary>Calls being placed. Owned by the queue.</summary>
    public HashSet<UacInvite> Calls { get; } = [];

    /// <summary>A connection has ended; called on any thread.</summary>
    public event Action<SipFlow>? FlowEnded;

    /// <summary>Cancelled when the endpoint is disposed.</summary>
    public CancellationTokenSource Stopping { get; } = new();

    public SipCapabilities Capabilities { get; }

    public string Allow => Capabilities.Allow;

    public string Supported => Capabilities.Supported;

    public static string NewTag() => SipRandom.Hex(stackalloc byte[10]);

    public static string NewBranch() => Via.MagicCookie + SipRandom.Hex(stackalloc byte[12]);

    /// <summary>The queue is looked at before and after: a call may have put work on it meanwhile.</summary>
    public bool IsIdle => Queue.Pending == 0 && Calling.IsIdle && Queue.Pending == 0;

    public SipStatistics Statistics() => new(
        Volatile.Read(ref received), Volatile.Read(ref sent), Volatile.Read(ref malformed), Volatile.Read(ref refusedSources),
        Volatile.Read(ref rateLimited), Volatile.Read(ref overloaded), servers.Count, clients.Count, Dialogs.Count);

    /// <summary>
    /// Called by transports on their own threads: admission and parsing happen there, the rest on the queue. A thread that is lent then runs what the
    /// message has to tell the application, which costs nothing where waking another thread is dearer than what that has to do.
    /// </summary>
    public void Received(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> message)
    {
        if (Options.Callbacks != SipCallbacks.Receiver || transport is not ILender lender || Watch is not { MayLend: true } watch)
        {
            Receive(transport, remote, message);
            return;
        }

        Calling.Attend();
        try
        {
            Receive(transport, remote, message);
        }
        finally
        {
            Calling.RunHere(watch, lender);
        }
    }

    private void Receive(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> trimmed = SipParser.SkipLeadingLines(message);
        if (trimmed.IsEmpty)
        {
            return;
        }

        if (trimmed[0] < 4 && transport.Kind == SipTransportKind.Udp && StunBinding.IsRequest(trimmed))
        {
            KeepOpen(transport, remote, trimmed);
            return;
        }

        Interlocked.Increment(ref received);
        bool isResponse = trimmed.StartsWith("SIP/"u8);
        SipSourceDecision decision = isResponse ? SipSourceDecision.Accept : Application.OnSource(transport.Kind, remote);
        if (decision == SipSourceDecision.Accept && !isResponse && Options.Guard is { } guard && !guard.Admits(remote.Address))
        {
            decision = SipSourceDecision.Drop;
        }
        else if (decision == SipSourceDecision.Drop)
        {
            Options.Guard?.Tell(remote.Address, GuardReason.UnknownSource);
        }

        if (decision == SipSourceDecision.Drop)
        {
            Interlocked.Increment(ref refusedSources);
            return;
        }

        if (Queue.Pending >= MaxPendingMessages)
        {
            Interlocked.Increment(ref overloaded);
            return;
        }

        Meter.Received(transport.Kind, trimmed);
        SipParseResult result = SipParser.ParseDatagram(trimmed);
        byte[]? unreadable = result.Message is null && result.Error?.Raw is null ? trimmed.ToArray() : null;
        if (!Queue.TryEnter())
        {
            Wait(transport, remote, result, unreadable, decision);
            return;
        }

        try
        {
            Take(transport, remote, result, unreadable, decision);
        }
        catch (Exception fault)
        {
            // As on the queue: one faulty message must not stop the ones behind it.
            SipLog.WorkFaulted(Options.Logger, fault);
        }
        finally
        {
            Queue.Leave();
        }
    }

    /// <summary>Only who may call is answered: the answer is longer than the question.</summary>
    private void KeepOpen(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> request)
    {
        if (Application.OnSource(transport.Kind, remote) == SipSourceDecision.Accept)
        {
            transport.Send(StunBinding.Answer(request, remote), remote, null, null);
        }
    }

    public void Noticed(ISipTransport transport, IPEndPoint remote, string what) => SipLog.TransportNotice(Options.Logger, transport.Kind, remote, what);

    public void Disconnected(ISipTransport transport, IPEndPoint remote) => FlowEnded?.Invoke(new SipFlow(transport.Kind, remote));

    public void Begin(ClientTransaction transaction)
    {
        clients[transaction.Key] = transaction;
        transaction.Begin();
    }

    public void Remove(IClientTransaction transaction)
    {
        if (clients.Remove(transaction.Key, out IClientTransaction? known))
        {
            (known as FinishedClient)?.Cancel();
        }
    }

    public void Remove(IServerTransaction transaction)
    {
        if (servers.Remove(transaction.Key, out IServerTransaction? known))
        {
            (known as FinishedTransaction)?.Cancel();
        }

        if (transaction.MergeKey is { } merge && merges.TryGetValue(merge, out TransactionKey owner) && owner == transaction.Key)
        {
            merges.Remove(merge);
        }
    }

    /// <summary>What is left of a transaction takes its place; false when it has none any more.</summary>
    public bool TryReplace(IServerTransaction rest)
    {
        ref IServerTransaction place = ref CollectionsMarshal.GetValueRefOrNullRef(servers, rest.Key);
        if (Unsafe.IsNullRef(ref place))
        {
            return false;
        }

        place = rest;
        return true;
    }

    /// <summary>As for servers.</summary>
    public bool TryReplace(IClientTransaction rest)
    {
        ref IClientTransaction place = ref CollectionsMarshal.GetValueRefOrNullRef(clients, rest.Key);
        if (Unsafe.IsNullRef(ref place))
        {
            return false;
        }

        place = rest;
        return true;
    }

    public IServerTransaction? FindInvite(SipRequest cancel) => servers.GetValueOrDefault(TransactionKey.OfServer(cancel, SipMethod.Invite));

    public void Send(byte[] message, SipTarget target, Action<string>? failed)
    {
        Interlocked.Increment(ref sent);
        Meter.Sent(target.Transport.Kind, message);
        Trace(SipTraceDirection.Sent, target.Transport, target.Remote, message);
        target.Transport.Send(message, target.Remote, target.Host, failed);
    }

    public void SendResponse(byte[] message, Via via, ISipTransport transport, IPEndPoint source, Action<string>? failed) =>
        Send(message, ResponseTarget(via, transport, source), failed);

    /// <summary>RFC 3261 18.2.2 and RFC 3581 4: back over the same connection, or to the source address with rport or the Via's port.</summary>
    public static SipTarget ResponseTarget(Via via, ISipTransport transport, IPEndPoint source)
    {
        bool toSource = transport.Kind == SipTransportKind.Udp ? via.WantsRport : transport.IsConnected(source);
        int port = via.Port == 0 ? SipRouting.PortOf(transport.Kind) : via.Port;
        return new SipTarget(transport, toSource || port == source.Port ? source : new IPEndPoint(source.Address, port));
    }

    public void ResponseNotSent(ServerTransaction transaction, string why) =>
        SipLog.ResponseNotSent(Options.Logger, transaction.Request.CallId, transaction.Source, why);

    public string ViaFor(SipTarget target, string branch)
    {
        IPEndPoint own = Routes.AdvertisedAddress(target);
        string transport = target.Transport.Kind switch { SipTransportKind.Udp => "UDP", SipTransportKind.Tcp => "TCP", SipTransportKind.Tls => "TLS", SipTransportKind.Ws => "WS", SipTransportKind.Wss => "WSS" };
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"SIP/2.0/{transport} {SipUri.HostOf(own.Address)}:{own.Port};rport;branch={branch}");
    }

    /// <summary>The same tag for every copy of a request that is answered without state (RFC 3261 8.2.7).</summary>
    public string StatelessTag(SipRawMessage request)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, tagSecret);
        foreach (SipHeaderId id in (ReadOnlySpan<SipHeaderId>)[SipHeaderId.Via, SipHeaderId.From, SipHeaderId.CallId, SipHeaderId.CSeq])
        {
            int index = request.Find(id);
            hash.AppendData(index < 0 ? "-"u8 : request.Value(index));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 10));
    }

    public void RespondStateless(SipRawMessage request, ISipTransport transport, IPEndPoint source, int statusCode, params ReadOnlySpan<KeyValuePair<string, string>> headers)
    {
        SipWriter writer = ResponseDraft.Begin(request, source, statusCode, null, StatelessTag(request));
        foreach (var (name, value) in headers)
        {
            writer.Header(name, value);
        }

        byte[] response = writer.Header("Server", Options.UserAgentName).End();
        int index = request.Find(SipHeaderId.Via);
        SipScanner scanner = index < 0 ? default : request.Scan(index);
        if (index >= 0 && ViaShape.IsList(ref scanner, out ViaShape top))
        {
            SendResponse(response, new Via(request.Bytes, request.Place(index).Start, top), transport, source, null);
        }
        else
        {
            Send(response, new SipTarget(transport, source), null);
        }
    }

    /// <summary>Says good-bye on every leg; then nothing waits here any more.</summary>
    public void Shutdown()
    {
        foreach (SipDialog dialog in Dialogs.Confirmed)
        {
            _ = dialog.StartBye(SipDialogEndCause.Shutdown, null);
        }

        foreach (UasInvite ringing in Dialogs.Early)
        {
            ringing.Shutdown();
        }

        foreach (UacInvite call in Calls.ToList())
        {
            call.Shutdown();
        }

        foreach (IClientTransaction transaction in clients.Values.ToList())
        {
            transaction.Shutdown();
        }
    }

    private void Ring() => Queue.Post(rung ??= Timers.Rung);

    public void Dispose()
    {
        Timers.Dispose();
        Watch?.Dispose();
        Calling.Dispose();
        Meter.Dispose();
    }

    private void Wait(ISipTransport transport, IPEndPoint remote, SipParseResult result, byte[]? unreadable, SipSourceDecision decision) =>
        Queue.Post(() => Take(transport, remote, result, unreadable, decision));

    private void Take(ISipTransport transport, IPEndPoint remote, SipParseResult result, byte[]? unreadable, SipSourceDecision decision)
    {
        Trace(SipTraceDirection.Received, transport, remote, result.Message?.Raw.Wire ?? result.Error?.Raw?.Wire ?? unreadable ?? []);
        switch (result.Message)
        {
            case SipResponse response:
                TakeResponse(response);
                break;
            case SipRequest request:
                TakeRequest(request, transport, remote, decision);
                break;
            default:
                TakeMalformed(result.Error, transport, remote, decision);
                break;
        }
    }

    private void TakeMalformed(SipParseError? error, ISipTransport transport, IPEndPoint remote, SipSourceDecision decision)
    {
        Interlocked.Increment(ref malformed);
        if (decision == SipSourceDecision.Accept && error is { IsAnswerable: true, Raw: { } raw } && Admit(raw, transport, remote))
        {
            SipLog.Malformed(Options.Logger, remote, error.Why, error.StatusCode);
            RespondStateless(raw, transport, remote, error.StatusCode);
        }
    }

    private void TakeResponse(SipResponse response)
    {
        // RFC 3261 18.1.2 and 8.1.3.3: one Via, ours; more mean that the response is somebody else's.
        bool ours = response.Vias.Count == 1 && response.TopVia.Branch is not null;
        if (ours && clients.TryGetValue(new ClientKey(response.TopVia.Branch!, response.CSeq.Method), out IClientTransaction? transaction))
        {
            transaction.Receive(response);
        }
    }

    private void TakeRequest(SipRequest request, ISipTransport transport, IPEndPoint remote, SipSourceDecision decision)
    {
        bool isAck = request.Is(SipMethod.Ack);
        TransactionKey key = TransactionKey.OfServer(request, isAck ? SipMethod.Invite : request.Method);
        if (servers.TryGetValue(key, out IServerTransaction? known))
        {
            if (!isAck)
            {
                Meter.RequestReceivedAgain();
            }

            known.Receive(request);
            return;
        }

        if (isAck)
        {
            uas.TakeAck(request);
            return;
        }

        if (decision == SipSourceDecision.Reject)
        {
            Interlocked.Increment(ref refusedSources);
            RespondStateless(request.Raw, transport, remote, 403);
            return;
        }

        // A request inside a known dialog is never limited: a flood must not keep a call from ending.
        if (Dialogs.Find(request) is null)
        {
            if (Options.Guard is { } guard && guard.IsScanner(request, remote.Address))
            {
                Interlocked.Increment(ref refusedSources);
                return;
            }

            if (!Admit(request.Raw, transport, remote))
            {
                return;
            }
        }

        TransactionKey? mergeKey = TransactionKey.OfMerge(request);
        bool merged = mergeKey is { } merge && !merges.TryAdd(merge, key);
        var transaction = new ServerTransaction(this, request, key, mergeKey, transport, remote);
        servers[key] = transaction;
        uas.Take(transaction, merged);
    }

    private bool Admit(SipRawMessage request, ISipTransport transport, IPEndPoint remote)
    {
        AdmissionVerdict verdict = admission.Admit(remote.Address);
        if (verdict == AdmissionVerdict.Admit)
        {
            return true;
        }

        Interlocked.Increment(ref rateLimited);
        Options.Guard?.Tell(remote.Address, GuardReason.Flood);
        if (verdict == AdmissionVerdict.Refuse && !request.StartLine.StartsWith("ACK "u8))
        {
            RespondStateless(request, transport, remote, 503, new KeyValuePair<string, string>("Retry-After", "5"));
        }

        return false;
    }

    private void Trace(SipTraceDirection direction, ISipTransport transport, IPEndPoint remote, ReadOnlyMemory<byte> message) =>
        Application.OnTrace(new SipTrace(direction, transport.Kind, transport.LocalEndPoint, remote, Options.TimeProvider.GetUtcNow(), message));
}
