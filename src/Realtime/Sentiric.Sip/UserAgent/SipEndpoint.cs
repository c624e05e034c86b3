namespace Sentiric.Sip;

/// <summary>
/// A SIP user agent on one or more transports: takes calls for its <see cref="ISipApplication"/> and places calls. Thread-safe.
/// </summary>
public sealed class SipEndpoint : IAsyncDisposable
{
    private readonly SipShard shard;

    private SipEndpoint(SipShard shard) => this.shard = shard;

    /// <summary>What is listened on, with the ports that the system gave.</summary>
    public IReadOnlyList<SipBinding> Bindings => shard.Transports.Select(transport => new SipBinding(transport.Kind, transport.LocalEndPoint)).ToList();

    public SipStatistics Statistics => shard.Statistics();

    /// <summary>Nothing that was received or asked for is being worked on, by the stack or in a call of the application: whatever comes next comes from outside.</summary>
    internal bool IsIdle => shard.IsIdle;

    /// <summary>A connection has ended, whoever ended it. Called on any thread; must return soon.</summary>
    public event Action<SipFlow> FlowEnded
    {
        add => shard.FlowEnded += value;
        remove => shard.FlowEnded -= value;
    }

    /// <summary>Opens every listener or none.</summary>
    /// <exception cref="SipListenException">An address cannot be bound; the message says which and why.</exception>
    /// <exception cref="ArgumentException">No listener is asked for.</exception>
    public static async Task<SipEndpoint> StartAsync(SipEndpointOptions options, ISipApplication application, CancellationToken ct = default)
    {
        if (options.Listen.Count == 0)
        {
            throw new ArgumentException("A SIP endpoint needs at least one listener.", nameof(options));
        }

        ct.ThrowIfCancellationRequested();
        var shard = new SipShard(options, application);
        var endpoint = new SipEndpoint(shard);
        try
        {
            // On the queue, so that a message to the first listener waits until all are there.
            await shard.Queue.InvokeAsync(() =>
            {
                foreach (SipListen listen in options.Listen)
                {
                    shard.Transports.Add(options.Network.Open(listen, shard, options.TimeProvider));
                }

                return true;
            }).ConfigureAwait(false);
        }
        catch
        {
            await endpoint.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return endpoint;
    }

    /// <summary>The binding of one transport.</summary>
    /// <exception cref="InvalidOperationException">It is not listened on.</exception>
    public SipBinding Binding(SipTransportKind transport) => Bindings.First(binding => binding.Transport == transport);

    /// <summary>Places a call; the result comes through <see cref="OutgoingCall.Completed"/>.</summary>
    /// <exception cref="ArgumentException">A value holds CR, LF or NUL.</exception>
    /// <exception cref="ObjectDisposedException">The endpoint was stopped.</exception>
    public Task<OutgoingCall> InviteAsync(OutgoingInvite invite) => shard.Queue.InvokeAsync(() =>
    {
        ObjectDisposedException.ThrowIf(shard.Stopping.IsCancellationRequested, this);
        var call = new UacInvite(shard, invite);
        call.Begin();
        return new OutgoingCall(call);
    });

    /// <summary>Sends a request outside dialogs and gives its final response.</summary>
    /// <exception cref="ArgumentException">A value holds CR, LF or NUL, or the method opens or ends dialogs.</exception>
    public async Task<OutgoingRequestResult> RequestAsync(OutgoingRequest request)
    {
        if (request.Method is SipMethod.Invite or SipMethod.Ack or SipMethod.Bye or SipMethod.Cancel)
        {
            throw new ArgumentException("Calls are placed with InviteAsync and ended through their dialog.", nameof(request));
        }

        var done = new TaskCompletionSource<OutgoingRequestResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await shard.Queue.InvokeAsync(() =>
        {
            ObjectDisposedException.ThrowIf(shard.Stopping.IsCancellationRequested, this);
            UacExchange exchange = Exchange(request);
            exchange.Begin(result => done.TrySetResult(exchange.Transaction is { Target: var way } ? result with { Flow = new SipFlow(way.Transport.Kind, way.Remote) } : result));
            return true;
        }).ConfigureAwait(false);
        return await done.Task.ConfigureAwait(false);
    }

    /// <summary>Ends every call with BYE, refuses and cancels those that ring, completes every task that waits here, closes the transports.</summary>
    public async ValueTask DisposeAsync()
    {
        if (shard.Stopping.IsCancellationRequested)
        {
            return;
        }

        await shard.Stopping.CancelAsync().ConfigureAwait(false);
        await shard.Queue.InvokeAsync(() =>
        {
            shard.Shutdown();
            return true;
        }).ConfigureAwait(false);
        foreach (ISipTransport transport in shard.Transports)
        {
            await transport.DisposeAsync().ConfigureAwait(false);
        }

        await shard.Queue.InvokeAsync(() =>
        {
            shard.Dispose();
            return true;
        }).ConfigureAwait(false);
    }

    private UacExchange Exchange(OutgoingRequest request)
    {
        uint sequence = request.CSeq;
        var draft = new RequestDraft
        {
            Method = request.Method,
            Uri = request.Target.ToString(),
            Routes = request.Proxy is null ? [] : [$"<{request.Proxy};lr>"],
            From = NameAddr.Create(request.From.Display, request.From.Uri, SipShard.NewTag()).Wire,
            To = (request.To ?? NameAddr.Create(null, request.Target)).Wire,
            CallId = RequestDraft.CallIdOf(request.CallId),
            CSeq = request.CSeq,
            Headers = request.Headers,
        };
        return new UacExchange(shard, draft, request.Proxy ?? request.Target, request.Transport, null, request.Credentials, () => ++sequence)
        {
            Complete = (own, way) => request.WithContact
                ? own with { Contact = shard.Routes.ContactFor(way, request.From.Uri.User is null ? null : request.From.Uri.UserText, request.Target.Scheme == "sips") }
                : own,
        };
    }
}
