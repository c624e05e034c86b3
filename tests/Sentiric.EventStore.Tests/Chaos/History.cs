using System.Collections.Concurrent;
using System.Globalization;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>How a call ended.</summary>
internal enum CallEnd
{
    Stored,

    /// <summary>The events were stored by an earlier call with the same ids.</summary>
    Known,
    Refused,

    /// <summary>No answer came: stored or not, whole or not at all.</summary>
    Unknown,
}

/// <summary>One append as its caller saw it. <see cref="Began"/> and <see cref="Ended"/> are ticks of one counter over all callers.</summary>
internal sealed record Call(
    long Began, long Ended, string Stream, long Expected, IReadOnlyList<Guid> Ids, CallEnd End, long Version = 0, IReadOnlyList<long>? Positions = null, long Actual = 0)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"[{Began}..{Ended}] {Stream} expecting {Expected}, {Ids.Count} events: {End}, version {Version}, positions {string.Join(',', Positions ?? [])}, actual {Actual}");
}

/// <summary>Collects calls of many writers in the order in which things happened.</summary>
internal sealed class History
{
    private readonly ConcurrentQueue<Call> _calls = new();
    private long _tick;

    public IReadOnlyCollection<Call> Calls => _calls;

    public async Task<Call> RecordAsync(IEventStore store, string tenant, string stream, ExpectedVersion expected, EventData[] events, bool isIdempotent)
    {
        var began = Interlocked.Increment(ref _tick);
        var call = new Call(began, 0, stream, expected.Value, [.. events.Select(e => e.EventId)], CallEnd.Unknown);
        try
        {
            var result = await store.AppendToStreamAsync(tenant, stream, expected, events, new AppendOptions(isIdempotent));
            call = call with { End = result.AlreadyStored ? CallEnd.Known : CallEnd.Stored, Version = result.Version, Positions = result.Positions };
        }
        catch (WrongExpectedVersionException wrong)
        {
            call = call with { End = CallEnd.Refused, Actual = wrong.Actual };
        }
        catch (EventStoreUnavailableException)
        {
            call = call with { End = CallEnd.Unknown };
        }
        call = call with { Ended = Interlocked.Increment(ref _tick) };
        _calls.Enqueue(call);
        return call;
    }
}

/// <summary>
/// Is there an order of the calls, one after the other, that explains every answer and what is stored, and that keeps the order of calls of which
/// one ended before the other began? Versions number the appends of a stream, so the order is given and has only to be checked.
/// </summary>
internal static class HistoryCheck
{
    /// <summary>What contradicts such an order; empty when nothing does.</summary>
    public static IEnumerable<string> Complaints(IReadOnlyCollection<Call> calls, IReadOnlyDictionary<string, List<RecordedEvent>> stored)
    {
        var streams = calls.GroupBy(c => c.Stream, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        foreach (var (stream, events) in stored)
        {
            var ofStream = streams.GetValueOrDefault(stream, []);
            foreach (var complaint in Contiguous(stream, events).Concat(Whole(stream, ofStream, events)).Concat(OnceEach(stream, ofStream, events)).Concat(Justified(ofStream)))
                yield return complaint;
        }
        foreach (var complaint in InRealTime(calls)) yield return complaint;
    }

    private static IEnumerable<string> Contiguous(string stream, List<RecordedEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Version != i + 1) yield return $"{stream}: version {events[i].Version} stands where {i + 1} belongs";
            if (i > 0 && events[i].Position <= events[i - 1].Position) yield return $"{stream}: position {events[i].Position} of version {i + 1} is not above its predecessor's";
        }
    }

    /// <summary>An acknowledged batch lies side by side, in order, where the answer said; one without an answer lies whole or not at all.</summary>
    private static IEnumerable<string> Whole(string stream, List<Call> calls, List<RecordedEvent> events)
    {
        foreach (var call in calls.Where(c => c.End is CallEnd.Stored or CallEnd.Known))
        {
            var mine = events.Where(e => e.Version > call.Version - call.Ids.Count && e.Version <= call.Version).ToList();
            if (!mine.Select(e => e.EventId).SequenceEqual(call.Ids)) yield return $"{stream}: an acknowledged append is not where it should be: {call}";
            else if (!mine.Select(e => e.Position).SequenceEqual(call.Positions ?? [])) yield return $"{stream}: an answer names other positions than the log: {call}";
            if (call.End == CallEnd.Stored && !Explains(call.Expected, call.Version - call.Ids.Count)) yield return $"{stream}: an append was accepted behind the wrong version: {call}";
        }
        foreach (var call in calls.Where(c => c.End == CallEnd.Unknown))
        {
            var at = events.FindIndex(e => e.EventId == call.Ids[0]);
            var found = at < 0 ? 0 : events.Skip(at).Take(call.Ids.Count).Zip(call.Ids).Count(p => p.First.EventId == p.Second);
            if (found != 0 && found != call.Ids.Count) yield return $"{stream}: {found} of {call.Ids.Count} events of an append without an answer are stored: {call}";
            if (at < 0 && events.Any(e => call.Ids.Contains(e.EventId))) yield return $"{stream}: an append without an answer is stored without its first event: {call}";
        }
    }

    private static IEnumerable<string> OnceEach(string stream, List<Call> calls, List<RecordedEvent> events)
    {
        var tried = calls.SelectMany(c => c.Ids).ToHashSet();
        foreach (var twice in events.GroupBy(e => e.EventId).Where(g => g.Count() > 1)) yield return $"{stream}: event {twice.Key} is stored {twice.Count()} times";
        foreach (var stranger in events.Where(e => !tried.Contains(e.EventId))) yield return $"{stream}: event {stranger.EventId} was never appended";
        var refused = calls.Where(c => c.End == CallEnd.Refused).SelectMany(c => c.Ids).ToHashSet();
        refused.ExceptWith(calls.Where(c => c.End != CallEnd.Refused).SelectMany(c => c.Ids));
        foreach (var wrong in events.Where(e => refused.Contains(e.EventId))) yield return $"{stream}: event {wrong.EventId} was refused and is stored";
    }

    /// <summary>A refusal needs a moment between call and answer at which the stream did not stand where the caller believed.</summary>
    private static IEnumerable<string> Justified(List<Call> calls)
    {
        var stored = calls.Where(c => c.End == CallEnd.Stored).ToList();
        var unknown = calls.Where(c => c.End == CallEnd.Unknown).ToList();
        foreach (var refused in calls.Where(c => c.End == CallEnd.Refused))
        {
            var least = stored.Where(c => c.Ended < refused.Began).Select(c => c.Version).DefaultIfEmpty(0).Max();
            var most = stored.Where(c => c.Began < refused.Ended).Select(c => c.Version).DefaultIfEmpty(0).Max() + unknown.Where(c => c.Began < refused.Ended).Sum(c => c.Ids.Count);
            if (least == most && Explains(refused.Expected, least)) yield return $"{refused.Stream}: refused though it stood at {least} all the time: {refused}";
            if (refused.Actual < least || refused.Actual > most) yield return $"{refused.Stream}: told to stand at {refused.Actual}, but it stood between {least} and {most}: {refused}";
        }
    }

    private static bool Explains(long expected, long actual) => expected switch
    {
        -2 => true,
        -1 => actual > 0,
        _ => expected == actual,
    };

    /// <summary>Who began after another had ended lies behind it, in the stream and in the log.</summary>
    private static IEnumerable<string> InRealTime(IReadOnlyCollection<Call> calls)
    {
        var stored = calls.Where(c => c.End == CallEnd.Stored).ToList();
        var highest = (Position: 0L, Call: (Call?)null);
        var byEnd = new Queue<Call>(stored.OrderBy(c => c.Ended));
        foreach (var call in stored.OrderBy(c => c.Began))
        {
            while (byEnd.TryPeek(out var earlier) && earlier.Ended < call.Began)
            {
                byEnd.Dequeue();
                if (earlier.Positions?[^1] is { } last && last > highest.Position) highest = (last, earlier);
            }
            if (call.Positions?[0] < highest.Position) yield return $"lies in the log before one that had ended before it began: {call} and {highest.Call}";
        }
    }
}
