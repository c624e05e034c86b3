using System.Globalization;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>
/// One step of a random history. All parts are small numbers that mean something by themselves, so that a step stays meaningful when others are
/// taken away: stream 2 of tenant 1, batch 3 (its events have the ids 3.0, 3.1 ...), expected version as in <see cref="ExpectedVersion.Value"/>.
/// </summary>
internal abstract record Operation
{
    public sealed override string ToString() => Describe();

    public abstract string Describe();

    protected static string N(long number) => number.ToString(CultureInfo.InvariantCulture);
}

internal readonly record struct StreamName(int Tenant, int Stream)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"t{Tenant}/s{Stream}");
}

/// <summary>A batch appended to a stream.</summary>
internal sealed record Append(StreamName Stream, long Expected, int Batch, int Count, bool IsIdempotent) : Operation
{
    public override string Describe() => $"append {Stream} expecting {N(Expected)} batch {N(Batch)} of {N(Count)}{(IsIdempotent ? " idempotent" : "")}";
}

/// <summary>One call, several streams, all or nothing.</summary>
internal sealed record Together(IReadOnlyList<Append> Parts) : Operation
{
    public override string Describe() => "together [" + string.Join("; ", Parts) + "]";
}

/// <summary>Several calls that do not wait for each other, on different streams and with different batches.</summary>
internal sealed record AtOnce(IReadOnlyList<Append> Parts) : Operation
{
    public override string Describe() => "at once [" + string.Join("; ", Parts) + "]";
}

internal sealed record Archive(StreamName Stream) : Operation
{
    public override string Describe() => $"archive {Stream}";
}

internal sealed record Unarchive(StreamName Stream) : Operation
{
    public override string Describe() => $"open {Stream} again";
}

internal sealed record Truncate(StreamName Stream, long Before) : Operation
{
    public override string Describe() => $"delete what is before {N(Before)} of {Stream}";
}

internal sealed record ReadStream(StreamName Stream, long From, int Max) : Operation
{
    public override string Describe() => $"read {Stream} from {N(From)} at most {N(Max)}";
}

/// <summary>The log behind the n-th event of this history.</summary>
internal sealed record ReadAll(int After, int Max) : Operation
{
    public override string Describe() => $"read all after {N(After)} at most {N(Max)}";
}

internal sealed record AskState(StreamName Stream) : Operation
{
    public override string Describe() => $"state of {Stream}";
}

/// <summary>The fold of a stream up to a version, or up to a moment in microseconds after the start.</summary>
internal sealed record FoldUpTo(StreamName Stream, long? Version, long? Moment) : Operation
{
    public override string Describe() => $"fold {Stream} up to {(Version is { } v ? "version " + N(v) : Moment is { } m ? "moment " + N(m) : "now")}";
}

/// <summary>Load, decide, append behind what was loaded.</summary>
internal sealed record FetchAndAppend(StreamName Stream, int Batch, int Count) : Operation
{
    public override string Describe() => $"fetch {Stream} and append batch {N(Batch)} of {N(Count)}";
}

/// <summary>The clock goes on, or is set back.</summary>
internal sealed record Tick(long Microseconds) : Operation
{
    public override string Describe() => $"clock {N(Microseconds)} us";
}

/// <summary>Arms the wire: it breaks at the n-th message from now, before that message has passed.</summary>
internal sealed record Cut(bool IsAnswer, int Messages, bool BreaksAll) : Operation
{
    public override string Describe() => $"cut {(BreaksAll ? "all wires" : "the wire")} before {(IsAnswer ? "answer" : "request")} message {N(Messages)}";
}
