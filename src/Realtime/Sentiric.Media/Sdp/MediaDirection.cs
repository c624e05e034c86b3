namespace Sentiric.Media;

/// <summary>Who sends, seen from the party that says it (RFC 8866 6.7).</summary>
public enum MediaDirection
{
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// <summary>The algebra of directions (RFC 3264 6.1).</summary>
public static class MediaDirections
{
    public static bool Sends(this MediaDirection direction) => direction is MediaDirection.SendRecv or MediaDirection.SendOnly;

    public static bool Receives(this MediaDirection direction) => direction is MediaDirection.SendRecv or MediaDirection.RecvOnly;

    /// <summary>The same flow seen from the other end.</summary>
    public static MediaDirection Mirror(this MediaDirection direction) => Of(direction.Receives(), direction.Sends());

    /// <summary>What both wishes, seen from the same end, allow.</summary>
    public static MediaDirection And(this MediaDirection one, MediaDirection other) =>
        Of(one.Sends() && other.Sends(), one.Receives() && other.Receives());

    public static string AttributeName(this MediaDirection direction) => direction switch
    {
        MediaDirection.SendRecv => "sendrecv",
        MediaDirection.SendOnly => "sendonly",
        MediaDirection.RecvOnly => "recvonly",
        MediaDirection.Inactive => "inactive",
    };

    private static MediaDirection Of(bool sends, bool receives) => (sends, receives) switch
    {
        (true, true) => MediaDirection.SendRecv,
        (true, false) => MediaDirection.SendOnly,
        (false, true) => MediaDirection.RecvOnly,
        (false, false) => MediaDirection.Inactive,
    };
}
