import { Link } from 'expo-router';
import { useState } from 'react';
import { Pressable, Text, View } from 'react-native';

export default function Index() {
  const [count, setCount] = useState(0);
  return (
    <View style={{ padding: 16 }}>
      <Text testID="count">Count {count}</Text>
      <Pressable accessibilityLabel="Add one" onPress={() => setCount(count + 1)}><Text>+</Text></Pressable>
      <Link href="/about">About</Link>
    </View>
  );
}
