using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.Chaos.Children;

/// <summary>
/// Appends for ever and keeps a diary: a line before each call and one after it. The clock is the system's monotonic one, which all processes share.
/// <code>
/// T 5123 s2 -2 1 id,id          it began: when, stream, expected version, idempotent, event ids
/// S 5167 version positions      stored (K: known already; R: refused, with the actual version; U: no answer)
/// </code>
/// What is written stays written when the process is killed; a last line without its end does not count.
/// </summary>
internal static class ChildWriter
{
    public const string Tenant = "chaos";
    public const int Streams = 5;
    private const int MaxTries = 1_000;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(NpgsqlDataSource source, string log, int seed, CancellationToken stop)
    {
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await using var diary = new StreamWriter(new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true, NewLine = "\n" };
        var dice = new Random(seed);
        var known = new long[Streams];
        while (!stop.IsCancellationRequested)
        {
            var stream = dice.Next(Streams);
            var expected = dice.Next(3) == 0 ? ExpectedVersion.Exact(known[stream]) : ExpectedVersion.Any;
            var events = Facts.Raised(dice.Next(1, 5), stream);
            var isIdempotent = dice.Next(2) == 0;
            using var pause = new PeriodicTimer(BetweenTries);
            for (var attempt = 1; ; attempt++)
            {
                var (isAnswered, version) = await TryAsync(store, diary, stream, expected, events, isIdempotent);
                if (isAnswered) known[stream] = version;
                else await pause.WaitForNextTickAsync(CancellationToken.None);
                // Without an answer only an idempotent batch may be sent again.
                if (isAnswered || !isIdempotent || attempt == MaxTries || stop.IsCancellationRequested) break;
            }
        }
    }

    private static async Task<(bool IsAnswered, long Version)> TryAsync(
        PostgresEventStore store, StreamWriter diary, int stream, ExpectedVersion expected, EventData[] events, bool isIdempotent)
    {
        var ids = string.Join(',', events.Select(e => e.EventId));
        await diary.WriteLineAsync(Line($"T {Stopwatch.GetTimestamp()} s{stream} {expected.Value} {(isIdempotent ? 1 : 0)} {ids}"));
        try
        {
            var result = await store.AppendToStreamAsync(Tenant, $"s{stream}", expected, events, new AppendOptions(isIdempotent));
            await diary.WriteLineAsync(Line($"{(result.AlreadyStored ? 'K' : 'S')} {Stopwatch.GetTimestamp()} {result.Version} {string.Join(',', result.Positions)}"));
            return (true, result.Version);
        }
        catch (WrongExpectedVersionException wrong)
        {
            await diary.WriteLineAsync(Line($"R {Stopwatch.GetTimestamp()} {wrong.Actual} -"));
            return (true, wrong.Actual);
        }
        catch (EventStoreUnavailableException)
        {
            await diary.WriteLineAsync(Line($"U {Stopwatch.GetTimestamp()} 0 -"));
            return (false, 0);
        }
    }

    /// <summary>The calls of a diary; the one under way when the process was killed has no end.</summary>
    public static IEnumerable<Call> Read(string log)
    {
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        Call? open = null;
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (words[0] == "T")
            {
                if (open is not null) yield return open;
                open = new Call(Number(words[1]), long.MaxValue, words[2], Number(words[3]), [.. words[5].Split(',').Select(Guid.Parse)], CallEnd.Unknown);
                continue;
            }
            if (open is null) throw new InvalidDataException($"{log}: an end without a beginning: {line}");
            yield return Ended(open with { Ended = Number(words[1]) }, words);
            open = null;
        }
        if (open is not null) yield return open;
    }

    private static Call Ended(Call call, string[] words) => words[0] switch
    {
        "R" => call with { End = CallEnd.Refused, Actual = Number(words[2]) },
        "U" => call,
        _ => call with { End = words[0] == "S" ? CallEnd.Stored : CallEnd.Known, Version = Number(words[2]), Positions = [.. words[3].Split(',').Select(Number)] },
    };

    private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);

    private static string Line(FormattableString line) => FormattableString.Invariant(line);
}
