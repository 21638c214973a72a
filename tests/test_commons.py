from edgeinfer.commons import Commons


def test_there_is_one_of_each_kind_for_a_daemon_and_another_for_another():
    one, other = Commons(), Commons()
    assert one.the(list) is one.the(list)
    assert one.the(list) is not one.the(dict)
    assert one.the(list) is not other.the(list)
