using System.Globalization;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>A stored event as a history names it. <see cref="At"/> is in microseconds after the start.</summary>
internal sealed record Fact(StreamName Stream, long Version, string Id, string Content, long At);

/// <summary>
/// The simplest thing that behaves as a store should: lists and dictionaries. Answers are sentences, the same that <see cref="StoreRun"/> makes of
/// what a real store does. Global positions appear as ordinals: the n-th event of this history.
/// </summary>
internal sealed class StoreModel
{
    private readonly Dictionary<StreamName, Line> _lines = [];
    private readonly List<Fact> _log = [];
    private readonly HashSet<Fact> _deleted = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(int Tenant, string Id), (StreamName Stream, long Version, int Ordinal)> _keys = [];
    private long _now;

    public int Events => _log.Count;

    public long VersionOf(StreamName stream) => Line.Of(_lines, stream).Version;

    /// <param name="order">For calls at once: in which order their events came to lie in the log, as (part, event) pairs.</param>
    public string Answer(Operation operation, IReadOnlyList<(int Part, int Event)>? order = null) => operation switch
    {
        Append append => AnswerAppend(append),
        FetchAndAppend fetch => AnswerFetch(fetch),
        Together together => AnswerTogether(together),
        AtOnce atOnce => AnswerAtOnce(atOnce, order ?? []),
        Archive archive => AnswerArchive(archive),
        ReadStream read => Sentences.Events(Line.Of(_lines, read.Stream).Facts.Where(f => f.Version >= read.From).Take(read.Max), OrdinalOf),
        ReadAll read => Sentences.Events(Left(read.After).Take(read.Max), OrdinalOf),
        AskState ask => AnswerState(ask.Stream),
        FoldUpTo fold => Line.Of(_lines, fold.Stream).First > 0 && fold.Version != 0 ? Sentences.Truncated : Sentences.Fold(Upto(fold).Select(f => f.Content)),
        Unarchive unarchive => AnswerUnarchive(unarchive),
        Truncate truncate => AnswerTruncate(truncate),
        Tick tick => AnswerTick(tick),
        Cut => "",
        _ => throw new InvalidOperationException($"The model does not know '{operation}'."),
    };

    /// <summary>Everything there is: what a second look at the store must show.</summary>
    public string Whole() => string.Join('\n', _lines.Keys.OrderBy(k => k.Tenant).ThenBy(k => k.Stream).Select(AnswerState)
        .Append(Sentences.Events(Left(0), OrdinalOf)));

    private string AnswerAppend(Append append)
    {
        var refusal = Check(append, out var repeated);
        return repeated ?? refusal ?? Sentences.Stored(append.Count == 0 ? VersionOf(append.Stream) : Store(append), Placed(append));
    }

    private string AnswerFetch(FetchAndAppend fetch)
    {
        var line = Line.Of(_lines, fetch.Stream);
        if (line.First > 0) return Sentences.Truncated;
        var seen = Sentences.Fold(line.Facts.Select(f => f.Content));
        return $"{seen} -> {AnswerAppend(new Append(fetch.Stream, line.Version, fetch.Batch, fetch.Count, IsIdempotent: false))}";
    }

    private string AnswerTogether(Together together)
    {
        if (together.Parts.Any(p => p.Count == 0) || together.Parts.DistinctBy(p => p.Stream).Count() != together.Parts.Count) return Sentences.BadArgument;
        foreach (var part in together.Parts)
        {
            if (Check(part, out _) is { } refusal) return refusal;
        }
        return string.Join(", ", together.Parts.Select(part => Sentences.Stored(Store(part), Placed(part))));
    }

    private string AnswerAtOnce(AtOnce atOnce, IReadOnlyList<(int Part, int Event)> order)
    {
        var answers = new Func<string>[atOnce.Parts.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var part = atOnce.Parts[i];
            var refusal = Check(part, out var repeated);
            if (repeated is not null || refusal is not null) answers[i] = () => repeated ?? refusal ?? "";
            else if (part.Count == 0) answers[i] = () => Sentences.Stored(VersionOf(part.Stream), []);
            else answers[i] = () => Sentences.Stored(VersionOf(part.Stream), Placed(part));
        }
        foreach (var (part, index) in order) Place(atOnce.Parts[part], index);
        return string.Join(" | ", answers.Select(a => a()));
    }

    private string AnswerArchive(Archive archive)
    {
        if (_lines.TryGetValue(archive.Stream, out var line)) line.IsArchived = true;
        return line is null ? "no such stream" : "archived";
    }

    private string AnswerUnarchive(Unarchive unarchive)
    {
        if (_lines.TryGetValue(unarchive.Stream, out var line)) line.IsArchived = false;
        return line is null ? "no such stream" : "open";
    }

    private string AnswerTruncate(Truncate truncate)
    {
        if (!_lines.TryGetValue(truncate.Stream, out var line)) return Sentences.Deleted(0);
        if (truncate.Before > line.Version) return Sentences.NotTruncated;
        var doomed = line.Facts.Where(f => f.Version < truncate.Before).ToList();
        if (doomed.Count == 0) return Sentences.Deleted(0);
        _deleted.UnionWith(doomed);
        line.Facts.RemoveAll(_deleted.Contains);
        line.First = truncate.Before;
        return Sentences.Deleted(doomed.Count);
    }

    /// <summary>What is left of the log behind the n-th event.</summary>
    private IEnumerable<Fact> Left(int after) => _log.Skip(after).Where(f => !_deleted.Contains(f));

    public string AnswerState(StreamName stream) => _lines.TryGetValue(stream, out var line)
        ? Sentences.State(stream, line.Version, line.First, line.Created, line.Changed, line.IsArchived)
        : "no such stream";

    private string AnswerTick(Tick tick)
    {
        _now += tick.Microseconds;
        return "";
    }

    private IEnumerable<Fact> Upto(FoldUpTo fold) => Line.Of(_lines, fold.Stream).Facts
        .TakeWhile(f => (fold.Version is not { } version || f.Version <= version) && (fold.Moment is not { } moment || f.At <= moment));

    /// <summary>Why the append is refused, null when it is not; a repetition has its first answer.</summary>
    private string? Check(Append append, out string? repeated)
    {
        repeated = null;
        if (append.Count == 0) return null;
        if (append.IsIdempotent)
        {
            var known = Sentences.Ids(append.Batch, append.Count)
                .Where(id => _keys.ContainsKey((append.Stream.Tenant, id))).Select(id => _keys[(append.Stream.Tenant, id)]).ToList();
            if (known.Count > 0 && (known.Count != append.Count || known.Any(k => k.Stream != append.Stream))) return Sentences.IdReused;
            if (known.Count > 0)
            {
                repeated = Sentences.Repeated(known.Max(k => k.Version), known.Select(k => k.Ordinal));
                return null;
            }
        }
        if (Line.Of(_lines, append.Stream).IsArchived) return Sentences.Archived;
        return Allows(append.Expected, VersionOf(append.Stream)) ? null : Sentences.Wrong(VersionOf(append.Stream));
    }

    private static bool Allows(long expected, long actual) => expected switch
    {
        -2 => true,
        -1 => actual > 0,
        _ => actual == expected,
    };

    private long Store(Append append)
    {
        for (var i = 0; i < append.Count; i++) Place(append, i);
        return VersionOf(append.Stream);
    }

    private void Place(Append append, int index)
    {
        if (!_lines.TryGetValue(append.Stream, out var line)) _lines[append.Stream] = line = new Line { Created = _now };
        var id = Sentences.Id(append.Batch, index);
        // A stream's time never runs backwards.
        line.Changed = line.Version == 0 ? _now : Math.Max(line.Changed, _now);
        var fact = new Fact(append.Stream, ++line.Version, id, Sentences.Content(append.Batch, index), line.Changed);
        line.Facts.Add(fact);
        _log.Add(fact);
        if (append.IsIdempotent) _keys[(append.Stream.Tenant, id)] = (append.Stream, fact.Version, _log.Count);
        _ordinals[fact] = _log.Count;
    }

    private readonly Dictionary<Fact, int> _ordinals = new(ReferenceEqualityComparer.Instance);

    private int OrdinalOf(Fact fact) => _ordinals[fact];

    private IEnumerable<int> Placed(Append append) => Line.Of(_lines, append.Stream).Facts.TakeLast(append.Count).Select(OrdinalOf);

    private sealed class Line
    {
        private static readonly Line Nothing = new();

        public List<Fact> Facts { get; } = [];
        public long Version { get; set; }

        /// <summary>The first version that is left of a shortened stream; 0 when it is whole.</summary>
        public long First { get; set; }
        public long Created { get; init; }
        public long Changed { get; set; }
        public bool IsArchived { get; set; }

        public static Line Of(Dictionary<StreamName, Line> lines, StreamName stream) => lines.GetValueOrDefault(stream, Nothing);
    }
}

/// <summary>The words in which model and store answer, and what a batch consists of.</summary>
internal static class Sentences
{
    public const string BadArgument = "bad argument", IdReused = "id reused", Archived = "stream is archived", Truncated = "stream is truncated", NotTruncated = "not truncated";

    public static string Deleted(long events) => N(events) + " deleted";

    public static string Wrong(long actual) => "stands at " + N(actual);

    public static string Stored(long version, IEnumerable<int> ordinals) => $"stored to version {N(version)} as {string.Join(',', ordinals.Select(o => N(o)))}";

    public static string Repeated(long version, IEnumerable<int> ordinals) => $"known to version {N(version)} as {string.Join(',', ordinals.Select(o => N(o)))}";

    public static string Id(int batch, int index) => string.Create(CultureInfo.InvariantCulture, $"{batch}.{index}");

    public static IEnumerable<string> Ids(int batch, int count) => Enumerable.Range(0, count).Select(i => Id(batch, i));

    /// <summary>What the event says; every third is a note, the others raise a counter.</summary>
    public static string Content(int batch, int index) => index % 3 == 2 ? $"note {Id(batch, index)} ı\"\\€" : "by " + N(Amount(batch, index));

    public static int Amount(int batch, int index) => batch * 10 + index;

    public static string Fold(IEnumerable<string> contents) => "fold " + string.Join('+', contents);

    public static string State(StreamName stream, long version, long first, long created, long changed, bool isArchived) =>
        $"{stream} stands at {N(version)}, begins at {N(first)}, created {N(created)}, changed {N(changed)}{(isArchived ? ", archived" : "")}";

    public static string Events<T>(IEnumerable<T> facts, Func<T, int> ordinal)
        where T : notnull => string.Join('\n', facts.Select(f => f is Fact fact ? Event(ordinal(f), fact) : ""));

    public static string Event(int ordinal, Fact fact) =>
        $"{N(ordinal)}: {fact.Stream} v{N(fact.Version)} id {fact.Id} {fact.Content} at {N(fact.At)}";

    private static string N(long number) => number.ToString(CultureInfo.InvariantCulture);
}
