using System.Globalization;

namespace Sentiric.Sip;

/// <summary>What is registered, and where.</summary>
public sealed record RegistrationOptions
{
    /// <summary>Ours: From and To of the REGISTER; the user of our Contact.</summary>
    public required SipUri AddressOfRecord { get; init; }

    /// <summary>Registrars in the order in which they are tried; each may be a domain with several servers of its own.</summary>
    public required IReadOnlyList<SipUri> Registrars { get; init; }

    public SipCredentials? Credentials { get; init; }

    public SipTransportKind? Transport { get; init; }

    /// <summary>What we ask for; the registrar decides.</summary>
    public TimeSpan Expires { get; init; } = TimeSpan.FromHours(1);
}

public enum RegistrationState
{
    /// <summary>Nothing was heard yet.</summary>
    Trying,

    Registered,

    /// <summary>No registrar answered, or each had trouble of its own.</summary>
    Failing,

    /// <summary>A registrar does not want us: wrong password, unknown address.</summary>
    Refused,

    /// <summary>Given back, or given up at the stop.</summary>
    Stopped,
}

/// <summary>How a registration stands.</summary>
/// <param name="StatusCode">Of the last answer; 408 for silence, 503 for what could not be sent; 0 before the first.</param>
/// <param name="Failures">In a row.</param>
/// <param name="NextAt">When the next REGISTER leaves; null when none will.</param>
public sealed record RegistrationStatus(
    RegistrationState State, DateTimeOffset At, int StatusCode, string Reason, int Failures, DateTimeOffset? ExpiresAt, DateTimeOffset? NextAt);

/// <summary>
/// Keeps one address registered at a carrier (RFC 3261 10.2): refreshes before it expires, takes 423 at its word, goes to the next registrar and backs off
/// with jitter (RFC 5626 4.5), registers again when its connection ends, gives the address back at the stop.
/// <code>
/// Trying -200-> Registered -refresh-> Registered        any other answer or none: the next registrar; after the last one wait, 30 s doubling to 30 min
/// </code>
/// </summary>
public sealed class RegistrationClient : IAsyncDisposable
{
    /// <summary>423 may ask for more once; a registrar that then asks again does not know what it wants.</summary>
    private const int MaxBriefRefusals = 1;

    private static readonly TimeSpan LongestExpires = TimeSpan.FromDays(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly SipEndpoint endpoint;
    private readonly RegistrationOptions options;
    private readonly TimeProvider time;
    private readonly Random dice;
    private readonly Action<RegistrationStatus> told;
    private readonly CancellationTokenSource stopping = new();
    private readonly string callId = SipShard.NewTag() + SipShard.NewTag();
    private readonly Task running;

    // Of the loop alone.
    private uint sequence = 1;
    private TimeSpan expires;
    private int registrar;

    /// <summary>Read by whoever hears that a connection ended.</summary>
    private volatile SipFlow? flow;
    private volatile TaskCompletionSource wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile RegistrationStatus status;

    /// <param name="dice">For the jitter; a seeded one repeats.</param>
    /// <param name="told">Every change, after the wait for the next attempt has begun. Must return soon.</param>
    public RegistrationClient(SipEndpoint endpoint, RegistrationOptions options, TimeProvider time, Random? dice = null, Action<RegistrationStatus>? told = null)
    {
        if (options.Registrars.Count == 0)
        {
            throw new ArgumentException("A registration needs a registrar.", nameof(options));
        }

        this.endpoint = endpoint;
        this.options = options;
        this.time = time;
        this.dice = dice ?? new Random();
        this.told = told ?? (_ => { });
        expires = options.Expires;
        status = new RegistrationStatus(RegistrationState.Trying, time.GetUtcNow(), 0, "", 0, null, time.GetUtcNow());
        endpoint.FlowEnded += FlowEnded;
        running = RunAsync();
    }

    public RegistrationStatus Status => status;

    /// <summary>Gives the address back; waits for the answer a short while only.</summary>
    public async ValueTask DisposeAsync()
    {
        endpoint.FlowEnded -= FlowEnded;
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        bool was = status.State == RegistrationState.Registered;
        if (was)
        {
            Task<OutgoingRequestResult> leaving = endpoint.RequestAsync(Request(TimeSpan.Zero));
            await Task.WhenAny(leaving, Task.Delay(StopPatience, time)).ConfigureAwait(false);
        }

        Tell(RegistrationState.Stopped, 0, was ? "given back" : "given up", 0, null, null);
    }

    private async Task RunAsync()
    {
        int failures = 0, inRound = 0, brief = 0;
        while (!stopping.IsCancellationRequested)
        {
            OutgoingRequestResult result;
            try
            {
                result = await endpoint.RequestAsync(Request(expires)).WaitAsync(stopping.Token).ConfigureAwait(false);
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }

            sequence = (result.Response?.CSeq.Number ?? sequence + 2) + 1;
            if (result.StatusCode == 423 && brief++ < MaxBriefRefusals && LongerExpires(result))
            {
                continue;
            }

            bool registered = result.StatusCode is >= 200 and < 300;
            TimeSpan granted = registered ? Granted(result.Response) : default;
            flow = registered ? result.Flow : null;
            brief = 0;
            if (registered && granted > TimeSpan.Zero)
            {
                failures = inRound = 0;
                if (!await WaitAsync(Refresh(granted), RegistrationState.Registered, result, 0, granted).ConfigureAwait(false))
                {
                    return;
                }

                continue;
            }

            failures++;
            registrar = (registrar + 1) % options.Registrars.Count;
            if (++inRound < options.Registrars.Count)
            {
                continue;
            }

            inRound = 0;
            RegistrationState state = result.StatusCode is 401 or 403 or 404 or 407 ? RegistrationState.Refused : RegistrationState.Failing;
            if (!await WaitAsync(BackOff(failures / options.Registrars.Count - 1, dice), state, result, failures, null).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    /// <summary>
    /// RFC 5626 4.5 with its default times, all flows having failed: 30 s doubled for each failure before, half an hour at most, of which 50 to 100 %.
    /// </summary>
    public static TimeSpan BackOff(int failuresBefore, Random dice)
    {
        double upper = Math.Min(1_800, 30 * Math.Pow(2, Math.Clamp(failuresBefore, 0, 20)));
        return TimeSpan.FromSeconds(upper * (0.5 + dice.NextDouble() / 2));
    }

    /// <summary>Between 75 and 90 % of the time that was granted: time is left for one failure and a back-off.</summary>
    private TimeSpan Refresh(TimeSpan granted) => granted * (0.75 + dice.NextDouble() * 0.15);

    /// <summary>False when the stop came. A connection that ended wakes it early.</summary>
    private async Task<bool> WaitAsync(TimeSpan wait, RegistrationState state, OutgoingRequestResult result, int failures, TimeSpan? granted)
    {
        TaskCompletionSource early = wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        Task over = Task.Delay(wait, time, waiting.Token);
        Tell(state, result.StatusCode, result.Reason, failures, granted, wait);
        await Task.WhenAny(over, early.Task).ConfigureAwait(false);
        await waiting.CancelAsync().ConfigureAwait(false);
        return !stopping.IsCancellationRequested;
    }

    private void FlowEnded(SipFlow ended)
    {
        if (ended == flow)
        {
            wake.TrySetResult();
        }
    }

    private OutgoingRequest Request(TimeSpan wished) => new()
    {
        Method = SipMethod.Register,
        Target = options.Registrars[registrar],
        From = NameAddr.Create(null, options.AddressOfRecord),
        To = NameAddr.Create(null, options.AddressOfRecord),
        Headers = [new("Expires", ((long)wished.TotalSeconds).ToString(CultureInfo.InvariantCulture))],
        WithContact = true,
        Credentials = options.Credentials,
        Transport = options.Transport,
        CallId = callId,
        CSeq = sequence,
    };

    /// <summary>10.2.8: at least what the registrar names.</summary>
    private bool LongerExpires(OutgoingRequestResult result)
    {
        if (result.Response?.Number("Min-Expires") is not { } seconds || TimeSpan.FromSeconds(seconds) <= expires || TimeSpan.FromSeconds(seconds) > LongestExpires)
        {
            return false;
        }

        expires = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>10.2.4: what stands at our own contact, else in Expires, else what we asked for.</summary>
    private TimeSpan Granted(SipResponse? response)
    {
        var ports = endpoint.Bindings.Select(binding => binding.Address.Port).ToHashSet();
        NameAddr? ours = response?.Contacts.FirstOrDefault(contact => contact.Uri.UserText == options.AddressOfRecord.UserText && ports.Contains(contact.Uri.Port))
            ?? response?.Contacts.FirstOrDefault(contact => contact.Uri.UserText == options.AddressOfRecord.UserText);
        bool named = uint.TryParse(ours?.Parameter("expires"), NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds);
        TimeSpan granted = TimeSpan.FromSeconds(named ? seconds : response?.Number("Expires") ?? (uint)expires.TotalSeconds);
        return granted < LongestExpires ? granted : LongestExpires;
    }

    private void Tell(RegistrationState state, int statusCode, string reason, int failures, TimeSpan? granted, TimeSpan? wait)
    {
        DateTimeOffset now = time.GetUtcNow();
        status = new RegistrationStatus(state, now, statusCode, reason, failures, now + granted, now + wait);
        told(status);
    }
}
