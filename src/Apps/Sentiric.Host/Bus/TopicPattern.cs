namespace Sentiric.Host.Bus;

/// <summary>AMQP topic patterns: words between dots, '*' is one word, '#' is any number of words.</summary>
public static class TopicPattern
{
    public static bool Matches(string pattern, string routingKey) => Matches(pattern.Split('.'), routingKey.Split('.'));

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> key) => pattern switch
    {
        [] => key.IsEmpty,
        ["#", .. var rest] => Matches(rest, key) || (!key.IsEmpty && Matches(pattern, key[1..])),
        ["*", .. var rest] => !key.IsEmpty && Matches(rest, key[1..]),
        [var word, .. var rest] => !key.IsEmpty && word == key[0] && Matches(rest, key[1..]),
    };
}
