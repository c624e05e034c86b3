using System.Collections;
using System.Globalization;
using System.Reflection;

namespace Sentiric.Contracts.Tests.Events;

/// <summary>
/// One example of every event in the catalog, made from its constructor: the same value for the same parameter, so that the approved JSON
/// changes only when the shape does.
/// </summary>
internal static class EventExamples
{
    private static readonly DateTimeOffset At = new(2026, 11, 17, 10, 30, 0, 125, TimeSpan.FromHours(3));

    public static object Of(Type type) => Make(type, type.Name, 0);

    private static object Make(Type type, string name, int depth)
    {
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return inner switch
        {
            _ when inner == typeof(string) => Words(name),
            _ when inner == typeof(Guid) => new Guid("019a9000-0000-7000-8000-000000000001"),
            _ when inner == typeof(DateTimeOffset) => At,
            _ when inner == typeof(DateOnly) => new DateOnly(2026, 10, 29),
            _ when inner == typeof(bool) => true,
            _ when inner == typeof(double) => 0.5,
            _ when inner == typeof(int) || inner == typeof(long) || inner == typeof(uint) => Convert.ChangeType(7, inner, CultureInfo.InvariantCulture),
            { IsEnum: true } => Enum.GetValues(inner).GetValue(0)!,
            { IsGenericType: true } when inner.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => List(inner.GetGenericArguments()[0], name, depth),
            { IsGenericType: true } => new Dictionary<string, string> { ["tr"] = Words(name) },
            _ => Record(inner, depth),
        };
    }

    private static object Record(Type type, int depth)
    {
        Assert.True(depth < 8, $"{type} nests too deeply");
        var constructor = type.GetConstructors(BindingFlags.Public | BindingFlags.Instance).Single(c => c.GetParameters().Length > 0);
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Make(p.ParameterType, p.Name!, depth + 1))]);
    }

    private static object List(Type item, string name, int depth)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
        list.Add(Make(item, name, depth + 1));
        return list;
    }

    private static string Words(string name) => name + " ığüşöç İ";
}
