namespace Sentiric.EventStore;

/// <summary>The bounds that every implementation keeps.</summary>
public static class EventStoreLimits
{
    public const int MaxEventBytes = 1024 * 1024;
    public const int MaxEventsPerAppend = 1_000;

    /// <summary>All payloads of one append together, 64 MiB: PostgreSQL takes a parameter of 1 GiB at most, and a commit should be short.</summary>
    public const long MaxBytesPerAppend = 64L * 1024 * 1024;

    public const int MaxStreamsPerAppend = 100;
    public const int MaxStreamIdLength = 500;
    public const int MaxTenantLength = 200;
}
