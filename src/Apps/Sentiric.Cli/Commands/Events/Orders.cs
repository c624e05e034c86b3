using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Who vouches for a removal, in words.</summary>
internal static class Orders
{
    public static string Signed(DateTimeOffset? at) => at is { } signed ? FormattableString.Invariant($"record signed {signed:u}") : "record not signed";

    /// <summary>Behind what is said of the signature; empty where the platform does not tell.</summary>
    public static string Clause(RemovalOrdering? order, string? key) => order is { } known ? Clause(known, key) : "";

    private static string Clause(RemovalOrdering order, string? key) => order switch
    {
        RemovalOrdering.Ordered => $", ordered with key {key}",
        RemovalOrdering.BeforeOrders => ", from before the first order: nobody is shown to have ordered it, so you must know it",
        RemovalOrdering.NotOrdered => ", NOT ORDERED: no key of the platform vouches for it",
    };
}
