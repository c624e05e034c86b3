using System.Threading.Channels;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Demo;

/// <summary>
/// The call itself: the phone calls, and what the platform notes of it is shown as it happens. Two sources, one reader: lines of the phone and
/// events of the platform wait in one queue and are taken in the order in which they came.
/// </summary>
internal sealed class DemoCall(Session session, IReadOnlyList<string> phoneArguments)
{
    private const int MaxWaiting = 5_000;
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan OpeningTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastEventsTime = TimeSpan.FromSeconds(10);

    private readonly Channel<object> happenings = Channel.CreateBounded<object>(MaxWaiting);
    private readonly EventLines lines = new(session.Terminal, withCall: false);
    private readonly List<EventEnvelope> early = []; // events that came before the phone said which call is its own
    private string? sipCallId;
    private bool phoneIsDone, hasEnded;

    public Guid? CallId { get; private set; }

    /// <summary>The phone's report; absent when it made none.</summary>
    public PhoneMessage? Report { get; private set; }

    /// <summary>Until the platform has noted the end and the phone has reported.</summary>
    public async Task RunAsync(string to, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(LongestCall);
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var feed = FeedEventsAsync(opened, limit.Token);
        try
        {
            await opened.Task.WaitAsync(OpeningTime, ct);
            using var phone = PhoneProcess.Start(session, to, phoneArguments, piped: true);
            var speaker = FeedPhoneAsync(phone, limit);
            await ShowAsync(limit.Token);
            await speaker;
        }
        catch (TimeoutException)
        {
            throw new CliException("platform.timeout", $"The stream of events did not open within {OpeningTime.TotalSeconds} s.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            session.Terminal.Line(session.Terminal.Paint("The call's end was not seen in time.", Colour.Red));
        }
        finally
        {
            await limit.CancelAsync();
            await feed;
        }
    }

    private async Task FeedEventsAsync(TaskCompletionSource opened, CancellationToken ct)
    {
        try
        {
            await foreach (var envelope in session.Api.EventsAsync(null, () => opened.TrySetResult(), ct)) await happenings.Writer.WriteAsync(envelope, ct);
            happenings.Writer.TryComplete(new CliException("platform.gone", "The platform closed the stream of events."));
        }
        catch (OperationCanceledException e)
        {
            opened.TrySetCanceled(e.CancellationToken);
        }
        catch (Exception e) when (e is CliException or IOException or HttpRequestException)
        {
            var refusal = e as CliException ?? new CliException("platform.gone", $"The stream of events broke off: {e.Message}");
            opened.TrySetException(refusal);
            happenings.Writer.TryComplete(refusal);
        }
    }

    private async Task FeedPhoneAsync(PhoneProcess phone, CancellationTokenSource limit)
    {
        var errors = phone.ErrorsAsync(limit.Token);
        await foreach (var line in phone.LinesAsync(limit.Token))
        {
            if (PhoneMessage.Read(line) is { } message) await happenings.Writer.WriteAsync(message, limit.Token);
        }

        var code = await phone.ExitAsync(limit.Token);
        await happenings.Writer.WriteAsync(new PhoneDone(code, (await errors).Trim()), limit.Token);
    }

    private async Task ShowAsync(CancellationToken ct)
    {
        await foreach (var happened in happenings.Reader.ReadAllAsync(ct))
        {
            if (happened is EventEnvelope envelope) Take(envelope);
            else if (happened is PhoneMessage message) Take(message);
            else if (happened is PhoneDone done) Take(done, ct);
            await session.Terminal.Out.FlushAsync(ct);
            if (phoneIsDone && (hasEnded || CallId is null)) return;
        }
    }

    private void Take(PhoneMessage message)
    {
        if (message.Event == "report") Report = message;
        if (message.Event == "answer_heard") Line($"the caller heard the answer {message.Ms} ms after its last word");
        if (message.Event != "dialing") return;
        sipCallId = message.SipCallId;
        foreach (var envelope in early) Take(envelope);
        early.Clear();
    }

    private void Take(EventEnvelope envelope)
    {
        if (sipCallId is null)
        {
            early.Add(envelope);
            return;
        }

        if (CallId is null && envelope.Decode() is CallReceived received && received.SipCallId == sipCallId) CallId = envelope.CallId;
        if (CallId is null || envelope.CallId != CallId) return;
        // Every five seconds the same quality would hide the conversation; that of the whole call is shown.
        if (envelope.Decode() is not MediaQualityMeasured { Summary: false })
        {
            foreach (var line in lines.Of(envelope)) session.Terminal.Line(line);
        }

        hasEnded |= envelope.Type == "call.ended";
    }

    // The phone is done before the platform has written everything down; that may take a moment, not for ever.
    private void Take(PhoneDone done, CancellationToken ct)
    {
        phoneIsDone = true;
        if (done.Errors.Length > 0) session.Terminal.Line(session.Terminal.Paint($"phone: {done.Errors}", Colour.Red));
        if (done.Code != 0 && Report is null) session.Terminal.Line(session.Terminal.Paint($"The phone ended with {done.Code}.", Colour.Red));
        if (!hasEnded) _ = CloseLaterAsync(ct);
    }

    private async Task CloseLaterAsync(CancellationToken ct)
    {
        await Task.Delay(LastEventsTime, session.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        happenings.Writer.TryComplete();
    }

    private void Line(string text) => session.Terminal.Line(session.Terminal.Paint($"{"",9}{"phone",-11}{text}", Colour.Grey));

    private sealed record PhoneDone(int Code, string Errors);
}
