namespace Sentiric.EventStore;

/// <summary>A stream in which a forgotten person occurs, as it is stored.</summary>
public sealed record SubjectStream(string Tenant, string StreamId);

/// <summary>What the log says of an erasure. Nothing personal: <paramref name="SubjectHash"/> is a keyed hash.</summary>
public sealed record ErasedData(Guid ErasureId, string SubjectHash, IReadOnlyList<SubjectStream> Streams, DateTimeOffset At);

/// <summary>The application's event for an erasure: its stored name, how it is made and which streams it names.</summary>
public sealed record ErasureFact(string StoredName, Func<ErasedData, object> Make, Func<object, IReadOnlyList<SubjectStream>> StreamsOf);

/// <summary>A projection each of whose rows comes from one stream alone, so that a stream can be applied anew.</summary>
public interface IStreamRows
{
    /// <summary>Queues what removes every row that came from the stream.</summary>
    void DeleteStream(IProjectionWriter writer, string tenant, string streamId);
}
